"""A rendered corpus: folders that other software reads, values that can be had back, no leak, no half-written file."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from emogram.audio import load
from emogram.errors import ConfigurationError, TrainingError
from emogram.pictures import rendering
from emogram.pictures.rendering import render
from emogram.spectrograms import SPECTROGRAMS
from tests.pictures.conftest import Voices

PARTS = {"train", "validation", "test"}


def pixels_of(path: Path, description: dict[str, Any]) -> Any:
    """Grey levels [C, F, N], the lowest row first, as the description says to read them."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        picture = np.asarray(image)
    layout, channels = description["image"]["layout"], len(description["channels"])
    upright = picture.transpose(2, 0, 1) if layout == "RGB" else np.stack(np.split(picture, channels, axis=1))
    return upright[:, ::-1].astype(np.float64)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_folders_are_what_readers_of_image_folders_expect(voices: Voices, tmp_path: Path) -> None:
    told = render(voices.configuration(), tmp_path / "out", voices.clips(), clip_s=1.0)
    for tree, suffix in (("images", ".png"), ("arrays", ".npy")):
        root = tmp_path / "out" / tree
        assert {path.name for path in root.iterdir()} == PARTS
        for part in PARTS:
            classes = sorted(path.name for path in (root / part).iterdir() if path.is_dir())
            assert classes == sorted(told["emotions"])
            found = [path for path in (root / part).rglob("*") if path.is_file()]
            assert {path.suffix for path in found} == {suffix}
            assert {path.parent.parent for path in found} == {root / part}
            assert len(found) == sum(told["clips"][part].values()) == 6
    shapes = {pixels_of(path, told).shape for path in (tmp_path / "out" / "images").rglob("*.png")}
    assert shapes == {(1, 64, 101)}
    with (tmp_path / "out" / "clips.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert all((tmp_path / "out" / "arrays" / f"{row['file']}.npy").is_file() for row in rows)
    speakers = {part: {row["speaker"] for row in rows if row["part"] == part} for part in PARTS}
    assert [len(names) for names in speakers.values()] == [1, 1, 1]
    assert told == json.loads((tmp_path / "out" / "render.json").read_text())


@pytest.mark.parametrize(
    ("name", "bits", "layout"),
    [
        ("logmel", 8, "grey"),
        ("power", 16, "grey"),
        ("mfcc", 8, "grey"),
        ("deltas", 8, "RGB"),
        ("deltas", 16, "side by side"),
        ("modulation", 8, "side by side"),
    ],
)
def test_pixels_are_the_values_within_half_a_step(
    voices: Voices, tmp_path: Path, name: str, bits: Any, layout: str
) -> None:
    told = render(voices.configuration(f"spectrogram={name}"), tmp_path / "out", voices.clips(), bits=bits)
    assert told["image"]["layout"] == layout
    low, high = (np.array(told["scaling"][end])[:, :, None] for end in ("low", "high"))
    step = (high - low) / (2**bits - 1)
    inside = 0
    for path in (tmp_path / "out" / "arrays").rglob("*.npy"):
        values = np.load(path, allow_pickle=False)
        assert values.dtype == np.float32
        image = tmp_path / "out" / "images" / path.relative_to(tmp_path / "out" / "arrays").with_suffix(".png")
        back = low + pixels_of(image, told) * step
        assert back.shape == values.shape
        within = (values >= low) & (values <= high)
        assert (np.abs(back - values) <= step * 0.5 + 1e-6 * np.abs(values))[within].all()
        assert np.array_equal(np.where(values < low, low, high)[~within], back[~within])
        inside += int(within.sum())
        if "train" in path.parts:
            assert within.all()
    assert inside


def test_arrays_are_what_the_front_end_gives_of_the_middle_of_the_clip(voices: Voices, tmp_path: Path) -> None:
    told = render(voices.configuration(), tmp_path / "out", voices.clips(), clip_s=1.0, formats=["npy"])
    assert not (tmp_path / "out" / "images").exists()
    [path] = (tmp_path / "out" / "arrays").rglob("synthetic-f01_sad_s1_t01.npy")
    wave = load(voices.corpus / "f01" / "f01_sad_s1_t01.wav")
    start = (len(wave) - 16_000 + 1) // 2
    front_end = SPECTROGRAMS["logmel"].model_validate({}).build(16_000)
    spec = front_end(torch.from_numpy(wave[start : start + 16_000].copy())[None])[0].numpy()
    assert np.abs(np.load(path) - spec).max() < 1e-2  # the cache keeps 16 bits of a sample
    rows, columns = told["axes"]["rows"], told["axes"]["columns"]
    assert rows["quantity"] == "frequency in Hz"
    assert rows["values"] == pytest.approx(front_end.axis.values)
    assert columns["seconds_per_column"] == 0.01
    assert told["channels"][0]["unit"] == "dB"
    assert told["channels"][0]["unit_per_value"] == pytest.approx(10 / np.log(10))


def test_a_short_clip_stands_in_the_middle_of_silence() -> None:
    assert rendering._fitted(np.ones(3, np.float32), 7).tolist() == [0, 0, 1, 1, 1, 0, 0]
    assert rendering._fitted(np.arange(7, dtype=np.float32), 3).tolist() == [2, 3, 4]


def test_only_the_training_part_is_measured(voices: Voices, tmp_path: Path) -> None:
    told = render(voices.configuration(), tmp_path / "one", voices.clips())
    training = [np.load(path) for path in (tmp_path / "one" / "arrays" / "train").rglob("*.npy")]
    values = np.concatenate([spec.ravel() for spec in training]).astype(np.float64)
    assert told["scaling"]["low"] == [[values.min()]]
    assert told["scaling"]["high"] == [[values.max()]]
    assert told["standardisation"]["mean"][0][0] == pytest.approx(values.mean(), abs=1e-9)
    assert told["standardisation"]["deviation"][0][0] == pytest.approx(values.std(), abs=1e-9)
    shutil.copytree(voices.corpus, tmp_path / "voices")
    tested = {path.stem.removeprefix("synthetic-") for path in (tmp_path / "one" / "arrays" / "test").rglob("*.npy")}
    for path in (tmp_path / "voices").rglob("*.wav"):
        if path.stem in tested:
            wave, rate = soundfile.read(path)
            soundfile.write(path, np.clip(30 * wave, -1, 1), rate)
    louder = Voices(tmp_path / "voices", voices.cache)
    again = render(louder.configuration(), tmp_path / "two", louder.clips())
    assert again["scaling"] == told["scaling"]
    assert again["standardisation"] == told["standardisation"]
    assert max(np.load(path).max() for path in (tmp_path / "two" / "arrays" / "test").rglob("*.npy")) > values.max()


def test_coefficients_are_scaled_each_by_itself(voices: Voices, tmp_path: Path) -> None:
    told = render(voices.configuration("spectrogram=mfcc"), tmp_path / "out", voices.clips(), formats=["npy"])
    assert np.shape(told["scaling"]["low"]) == np.shape(told["standardisation"]["mean"]) == (1, 20)


@pytest.mark.parametrize("killed_in", ["write_array", "write_image", "_tally", "write_list"])
def test_a_killed_rendering_goes_on_and_ends_the_same(
    voices: Voices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    render(voices.configuration(), whole, voices.clips())
    original, calls = getattr(rendering, killed_in), []

    def kill(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == (5 if killed_in.startswith("write_a") or killed_in == "write_image" else 1):
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rendering, killed_in, kill)
        with pytest.raises(KeyboardInterrupt):
            render(voices.configuration(), broken, voices.clips())
    assert not (broken / "clips.csv").exists()
    before = {path: path.stat().st_mtime_ns for path in broken.rglob("*.png")}
    render(voices.configuration(), broken, voices.clips())
    assert files(broken) == files(whole)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_format_can_be_added_later(voices: Voices, tmp_path: Path) -> None:
    first = render(voices.configuration(), tmp_path / "out", voices.clips(), formats=["png"])
    assert first["formats"] == ["png"]
    second = render(voices.configuration(), tmp_path / "out", voices.clips(), formats=["npy"])
    assert second["formats"] == ["npy", "png"]
    assert len(list((tmp_path / "out").rglob("*.npy"))) == len(list((tmp_path / "out").rglob("*.png"))) == 18


@pytest.mark.parametrize(
    ("fields", "more", "message"),
    [
        (["spectrogram.n_mels=32"], {}, r"another spectrogram.n_mels \(64, not 32\)"),
        ([], {"clip_s": 2.0}, r"another clip_s \(None, not 2.0\)"),
        ([], {"bits": 16}, r"another bits \(8, not 16\)"),
        (["split.seed=4"], {}, r"another split.seed \(0, not 4\)"),
    ],
)
def test_pictures_of_other_settings_are_left_alone(
    voices: Voices, tmp_path: Path, fields: list[str], more: dict[str, Any], message: str
) -> None:
    render(voices.configuration(), tmp_path / "out", voices.clips())
    before = files(tmp_path / "out")
    with pytest.raises(TrainingError, match=f"holds pictures of {message}; choose another folder"):
        render(voices.configuration(*fields), tmp_path / "out", voices.clips(), **more)
    assert files(tmp_path / "out") == before


def test_other_clips_and_strange_folders_are_left_alone(voices: Voices, tmp_path: Path) -> None:
    render(voices.configuration(), tmp_path / "out", voices.clips(), formats=["npy"])
    fewer = [clip for clip in voices.clips() if clip.emotion != "sad"]
    with pytest.raises(TrainingError, match="holds pictures of other clips"):
        render(voices.configuration(), tmp_path / "out", fewer)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(TrainingError, match="is not empty and holds no pictures of emogram"):
        render(voices.configuration(), tmp_path / "mine", voices.clips())
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_an_emotion_that_a_part_lacks_keeps_its_folder_and_is_noted(voices: Voices, tmp_path: Path) -> None:
    tested = render(voices.configuration(), tmp_path / "all", voices.clips(), formats=["npy"])
    assert tested["notes"] == []
    names = {path.stem for path in (tmp_path / "all" / "arrays" / "test").rglob("*.npy")}
    kept = [clip for clip in voices.clips() if clip.emotion != "sad" or clip.clip_id.replace("/", "-") not in names]
    told = render(voices.configuration(), tmp_path / "out", kept, formats=["npy"])
    lacking = [part for part in PARTS if not told["clips"][part]["sad"]]
    assert len(lacking) == 1
    assert f"{lacking[0]} has no sad" in told["notes"]
    assert (tmp_path / "out" / "arrays" / lacking[0] / "sad").is_dir()


def test_wrong_settings_are_refused_before_anything_is_written(voices: Voices, tmp_path: Path) -> None:
    for fields, more, message in (
        (["spectrogram.hop_ms=90"], {}, "hop_ms"),
        ([], {"clip_s": -1.0}, r"clip_s=-1.0: "),
        ([], {"formats": ["jpg"]}, "choose from png, npy"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            render(voices.configuration(*fields), tmp_path / "out", voices.clips(), **more)
    assert not (tmp_path / "out").exists()
