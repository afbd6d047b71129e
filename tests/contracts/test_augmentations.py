"""Every registered augmentation, whatever it does: deterministic, printable, finite on anything, and off when off."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from pydantic import ValidationError

from emogram.augmentation import (
    AUGMENTATIONS,
    BATCH_AUGMENTATIONS,
    LEVELS,
    SPECTROGRAM_AUGMENTATIONS,
    WAVEFORM_AUGMENTATIONS,
    Augmentation,
    Draw,
    draw,
    replay,
)
from emogram.augmentation.batch import BatchDraw, Examples
from emogram.augmentation.recordings import Recordings
from emogram.augmentation.spectrogram import Shape, SpectrogramDraw
from emogram.augmentation.waveform import Companions, Scene, Wave, WaveformAugmentation, WaveformDraw
from emogram.errors import ConfigurationError
from emogram.training.configuration import validate

RATE = 16_000
ROOT = Path(__file__).parents[2]
CLIPS = 6
SHAPE = Shape(CLIPS, 24, 40)

IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from tests.contracts.test_augmentations import fingerprints
for line in fingerprints(Path(sys.argv[1])):
    print(line)
"""


def noise(samples: int, seed: int = 0) -> Wave:
    return np.asarray(0.1 * np.random.default_rng(seed).standard_normal(samples), np.float32)


def variants(folder: Path) -> Iterator[tuple[str, Augmentation]]:
    """Every augmentation with its defaults, always, and the other ways that some have."""
    for name, settings in AUGMENTATIONS.items():
        fields = {"folder": folder} if name == "background" else {}
        yield name, settings.model_validate({"probability": 1, **fields})
    yield "room", AUGMENTATIONS["room"].model_validate({"probability": 1, "folder": folder})
    for codec in ("mu_law", "mp3", "opus"):
        yield "codec", AUGMENTATIONS["codec"].model_validate({"probability": 1, "codecs": [codec]})


VARIANTS = [*AUGMENTATIONS, "room", *["codec"] * 3]
WAVEFORM = [number for number, name in enumerate(VARIANTS) if name in WAVEFORM_AUGMENTATIONS]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("recordings")
    for number, seconds in enumerate((0.05, 0.4)):
        soundfile.write(place / f"{number}.wav", noise(round(seconds * RATE), 50 + number), RATE)
    return place


@pytest.fixture(scope="session")
def all_variants(folder: Path) -> list[Augmentation]:
    return [settings for _, settings in variants(folder)]


def scene(sample_rate: int = RATE) -> Scene:
    companions = Companions(
        lambda index: noise(3000 + 500 * index, index),
        speakers=["a", "a", "b", "b", "c", ""],
        emotions=["happy", "sad", "happy", "sad", "happy", "happy"],
        corpora=["one"] * CLIPS,
    )
    return Scene(sample_rate, Recordings(sample_rate), companions, index=0)


def drawn_by(settings: Augmentation, seed: int = 0, sample_rate: int = RATE) -> Draw:
    """What it draws, whatever its level."""
    around: Any = scene(sample_rate)
    if settings.name in SPECTROGRAM_AUGMENTATIONS:
        around = SHAPE
    elif settings.name in BATCH_AUGMENTATIONS:
        around = CLIPS
    chain: Any = (settings,)
    drawn: tuple[Draw, ...] = draw(chain, np.random.Generator(np.random.Philox(seed)), around)
    [only] = drawn
    return only


def examples(n_frames: torch.Tensor | None = None) -> Examples:
    spec = torch.from_numpy(np.random.default_rng(0).standard_normal((CLIPS, 2, 24, 40)).astype(np.float32))
    allowed = torch.ones(CLIPS, 4, dtype=torch.bool)
    return Examples(spec, torch.eye(4)[torch.arange(CLIPS) % 4], allowed, n_frames)


def applied(drawn: Draw, wave: Wave | None = None) -> np.ndarray:
    """What the draw makes of a wave or of a batch."""
    if isinstance(drawn, WaveformDraw):
        return drawn.apply(noise(4000) if wave is None else wave, scene())
    batch = examples()
    if isinstance(drawn, SpectrogramDraw):
        return np.asarray(drawn.apply(batch.spec, None).numpy())
    assert isinstance(drawn, BatchDraw)
    mixed = drawn.apply(batch)
    return np.asarray(torch.cat([mixed.spec.flatten(), mixed.targets.flatten()]).numpy())


def fingerprints(folder: Path) -> list[str]:
    lines = []
    for name, settings in variants(folder):
        drawn = drawn_by(settings, seed=3)
        digest = hashlib.sha256(applied(drawn).tobytes()).hexdigest()
        lines.append(f"{name} {drawn.model_dump_json()} {digest}")
    return lines


def test_every_augmentation_belongs_to_one_level() -> None:
    assert sum(map(len, LEVELS.values())) == len(AUGMENTATIONS) == 23
    assert list(LEVELS) == ["waveform", "spectrogram", "batch"]
    for name, settings in AUGMENTATIONS.items():
        assert settings.model_fields["name"].default == settings.draws.model_fields["name"].default == name


def test_the_same_generator_gives_the_same_result_in_another_process(folder: Path) -> None:
    here = fingerprints(folder)
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(folder)]
    there = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert there.splitlines() == here == fingerprints(folder)


@pytest.mark.parametrize("number", range(len(VARIANTS)), ids=VARIANTS)
def test_a_draw_survives_json_and_does_the_same(number: int, all_variants: list[Augmentation]) -> None:
    drawn = drawn_by(all_variants[number], seed=1)
    assert type(drawn) is all_variants[number].draws
    again = replay(json.loads(drawn.model_dump_json()))
    assert again == drawn
    np.testing.assert_array_equal(applied(again), applied(drawn))


@pytest.mark.parametrize("number", range(len(VARIANTS)), ids=VARIANTS)
def test_it_does_something_and_leaves_its_input(number: int, all_variants: list[Augmentation]) -> None:
    drawn = drawn_by(all_variants[number], seed=2)
    batch, wave = examples(), noise(4000)
    wave.flags.writeable = False
    if isinstance(drawn, WaveformDraw):
        changed = drawn.apply(wave, scene())
        assert changed.shape != wave.shape or not np.array_equal(changed, wave)
        np.testing.assert_array_equal(wave, noise(4000))
    elif isinstance(drawn, SpectrogramDraw):
        assert not torch.equal(drawn.apply(batch.spec, None), batch.spec)
    else:
        assert isinstance(drawn, BatchDraw)
        assert not torch.equal(drawn.apply(batch).spec, batch.spec)
    for tensor, before in ((batch.spec, examples().spec), (batch.targets, examples().targets)):
        assert torch.equal(tensor, before)


@pytest.mark.parametrize("number", range(len(VARIANTS)), ids=VARIANTS)
def test_a_probability_of_zero_is_the_identity(number: int, all_variants: list[Augmentation]) -> None:
    off = all_variants[number].model_copy(update={"probability": 0.0})
    for seed in range(5):
        with pytest.raises(ValueError, match="not enough values"):
            drawn_by(off, seed)


@pytest.mark.parametrize("number", range(len(VARIANTS)), ids=VARIANTS)
def test_it_happens_as_often_as_its_probability_says(number: int, all_variants: list[Augmentation]) -> None:
    settings: Any = all_variants[number].model_copy(update={"probability": 0.3})
    around: Any = scene()
    if settings.name in SPECTROGRAM_AUGMENTATIONS:
        around = Shape(1, 24, 40)
    elif settings.name in BATCH_AUGMENTATIONS:
        around = CLIPS
    happened = sum(settings.draw(np.random.default_rng(seed), around) is not None for seed in range(400))
    assert 85 < happened < 155  # 120, and four deviations


EXTREMES = {
    "one": np.ones(1, np.float32),
    "few": noise(7),
    "short": noise(300),
    "silent": np.zeros(2000, np.float32),
    "one-silent": np.zeros(1, np.float32),
    "full-scale": np.sign(noise(2000)),
    "dc": np.ones(2000, np.float32),
    "denormal": np.full(2000, 1e-40, np.float32),
    "beyond-full-scale": 20 * noise(2000),
}


@pytest.mark.parametrize("number", WAVEFORM, ids=[VARIANTS[number] for number in WAVEFORM])
def test_any_wave_gives_finite_samples_of_sensible_length(number: int, all_variants: list[Augmentation]) -> None:
    settings = all_variants[number]
    for label, wave in EXTREMES.items():
        for seed in range(1 if settings.name == "codec" else 3):
            drawn = drawn_by(settings, seed)
            assert isinstance(drawn, WaveformDraw)
            changed = drawn.apply(wave, scene())
            assert changed.dtype == np.float32, label
            assert changed.ndim == 1
            assert np.isfinite(changed).all(), label
            assert np.abs(changed).max() < 1000, label
            if settings.name == "concatenation":
                assert len(wave) + 2000 < len(changed) < len(wave) + 10_000
            elif settings.name in ("speed", "tempo", "crop"):
                assert max(1, int(0.65 * len(wave))) <= len(changed) <= 1.3 * len(wave) + 1, label
            else:
                assert len(changed) == len(wave), label
            if label.endswith("silent") and settings.name != "concatenation":
                assert np.abs(changed).max() < 1e-4, label
    assert not len(applied(drawn_by(settings), np.zeros(0, np.float32)))


@pytest.mark.parametrize("sample_rate", [4000, 22_050, 48_000])
@pytest.mark.parametrize("number", WAVEFORM, ids=[VARIANTS[number] for number in WAVEFORM])
def test_any_sampling_rate_will_do(number: int, sample_rate: int, all_variants: list[Augmentation]) -> None:
    drawn = drawn_by(all_variants[number], 0, sample_rate)
    assert isinstance(drawn, WaveformDraw)
    changed = drawn.apply(noise(sample_rate // 4), scene(sample_rate))
    assert np.isfinite(changed).all()
    assert changed.any()


@pytest.mark.parametrize("lengths", [[40, 1, 17, 39, 2, 40], [1] * CLIPS])
@pytest.mark.parametrize("name", [*SPECTROGRAM_AUGMENTATIONS, *BATCH_AUGMENTATIONS])
def test_any_batch_stays_finite_and_its_targets_distributions(name: str, lengths: list[int]) -> None:
    batch = examples(torch.tensor(lengths))
    for seed in range(5):
        drawn = drawn_by(AUGMENTATIONS[name].model_validate({"probability": 1}), seed)
        if isinstance(drawn, SpectrogramDraw):
            changed = drawn.apply(batch.spec, batch.n_frames)
        else:
            assert isinstance(drawn, BatchDraw)
            mixed = drawn.apply(batch)
            changed = mixed.spec
            torch.testing.assert_close(mixed.targets.sum(dim=1), torch.ones(CLIPS))
            assert mixed.n_frames is not None
            assert (mixed.n_frames >= torch.tensor(lengths)).all()
        assert changed.shape == batch.spec.shape
        assert torch.isfinite(changed).all()


@pytest.mark.parametrize("shape", [Shape(2, 1, 1), Shape(1, 1, 9), Shape(3, 9, 1)], ids=str)
@pytest.mark.parametrize("name", SPECTROGRAM_AUGMENTATIONS)
def test_the_smallest_spectrograms_will_do(name: str, shape: Shape) -> None:
    settings: Any = SPECTROGRAM_AUGMENTATIONS[name].model_validate({"probability": 1})
    spec = torch.ones(shape.clips, 1, shape.bands, shape.frames)
    for seed in range(5):
        drawn = settings.draw(np.random.default_rng(seed), shape)
        assert torch.isfinite(drawn.apply(spec, None)).all()


def test_no_draw_depends_on_what_else_is_in_the_chain(all_variants: list[Augmentation]) -> None:
    chain: Any = tuple(settings for settings in all_variants[: len(WAVEFORM_AUGMENTATIONS)])
    for settings in chain:
        [alone] = draw((settings,), np.random.default_rng(9), scene())
        assert alone in draw(chain, np.random.default_rng(9), scene())
        assert alone in draw(chain[::-1], np.random.default_rng(9), scene())
    twice = draw((chain[1], chain[1]), np.random.default_rng(9), scene())
    assert twice[0] != twice[1]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_settings_describe_themselves(name: str) -> None:
    settings = AUGMENTATIONS[name]
    assert settings.__doc__
    assert 20 < len(settings.__doc__.splitlines()[0]) <= 130
    for field, info in settings.model_fields.items():
        assert field == "name" or info.description, field


@pytest.mark.parametrize("level", LEVELS)
def test_settings_read_back(level: str) -> None:
    for name, settings in LEVELS[level].items():
        expected = settings.model_validate({})
        for given in (name, {"name": name}, expected.model_dump(mode="json")):
            assert getattr(validate({"augmentation": {level: [given]}}).augmentation, level) == (expected,)


def fields() -> Iterator[tuple[str, str]]:
    for name, settings in AUGMENTATIONS.items():
        for field, default in settings.model_validate({}).model_dump().items():
            if isinstance(default, (int, float)) or (isinstance(default, tuple) and not isinstance(default[0], str)):
                yield name, field


@pytest.mark.parametrize(("name", "field"), list(fields()))
def test_numbers_out_of_bounds_name_their_field(name: str, field: str) -> None:
    default = AUGMENTATIONS[name].model_validate({}).model_dump()[field]
    for value in (-1000.0, 1e9, float("inf"), float("nan")):
        given = (value, value) if isinstance(default, tuple) else value
        with pytest.raises(ValidationError) as refusal:
            AUGMENTATIONS[name].model_validate({field: given})
        assert {problem["loc"][0] for problem in refusal.value.errors()} == {field}
    if isinstance(default, tuple):
        with pytest.raises(ValidationError, match="the first must be the lower one"):
            AUGMENTATIONS[name].model_validate({field: default[::-1]})


def test_configuration_names_the_field_and_the_choices() -> None:
    for given, words in [
        ({"waveform": ["nois"]}, ("augmentation.waveform.0=", "did you mean 'noise'", "concatenation, speed")),
        ({"waveform": ["gain", "masks"]}, ("augmentation.waveform.1=", "no waveform augmentation 'masks'")),
        ({"batch": [{"name": "mixup", "alfa": 3}]}, ("augmentation.batch.0.alfa", "did you mean 'alpha'")),
        ({"waveform": [{"name": "gain", "gain": 3}]}, ("augmentation.waveform.0.gain:", "did you mean 'gain_db'")),
        ({"waveform": [{"name": "speed", "factor": [1.1, 0.9]}]}, ("waveform.0.factor=[1.1, 0.9]", "lower one")),
        ({"spectrogram": [{"name": "masks", "masks": 0}]}, ("augmentation.spectrogram.0.masks=0", "equal to 1")),
        ({"waveform": [{"probability": 1}]}, ("augmentation.waveform.0", "choose concatenation")),
        ({"waveform": "noise"}, ("augmentation.waveform='noise'", "tuple")),
        ({"waveform": [3]}, ("augmentation.waveform.0",)),
    ]:
        with pytest.raises(ConfigurationError) as refusal:
            validate({"augmentation": given})
        message = str(refusal.value)
        assert "\n" not in message
        assert all(word in message for word in words), message


@pytest.mark.parametrize("name", ["babble", "concatenation", "background"])
def test_what_the_scene_lacks_is_named(name: str) -> None:
    settings: Any = AUGMENTATIONS[name].model_validate({"probability": 1})
    with pytest.raises(ConfigurationError, match=rf"augmentation {name}: .*(needs the other clips|none given)"):
        settings.draw(np.random.default_rng(0), Scene(RATE, Recordings(RATE)))


@pytest.mark.parametrize("number", WAVEFORM, ids=[VARIANTS[number] for number in WAVEFORM])
def test_it_keeps_time_where_it_says_so(number: int, all_variants: list[Augmentation]) -> None:
    """A loud moment stays within a frame of a teacher, 40 ms; what does not keep time moves it or the end for some draw."""
    settings = all_variants[number]
    assert isinstance(settings, WaveformAugmentation)
    wave, at = noise(2 * RATE) * 0.02, RATE + 4000
    wave[at : at + 800] = 0.5 * np.sin(np.arange(800) * 0.3).astype(np.float32)
    moved = []
    for seed in range(6):
        changed = applied(drawn_by(settings, seed), wave)
        loudness = np.convolve(np.square(changed, dtype=np.float64), np.ones(800), "valid")
        moved.append(len(changed) != len(wave) or abs(int(loudness.argmax()) - at) > 0.04 * RATE)
    assert any(moved) != settings.keeps_time, moved
