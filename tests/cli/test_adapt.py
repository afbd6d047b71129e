"""`emogram adapt`: folders and tables to a model file, without torch; what it says, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emogram.cli import main
from emogram.corpora.synthetic import render
from emogram.recognition import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers' happy and sad clips as ``mine/speaker/emotion``, one of the emotions by a word of one's own."""
    root = tmp_path_factory.mktemp("clips")
    for clip in render(root / "voices", speakers=3, takes=1):
        if clip.emotion in {"happy", "sad"}:
            place = root / "mine" / clip.speaker / {"happy": "happy", "sad": "gloomy"}[clip.emotion]
            place.mkdir(parents=True, exist_ok=True)
            Path(clip.path).rename(place / Path(clip.path).name)
    return root / "mine"


def adapt(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main(["adapt", *map(str, words)])
    return status, *capsys.readouterr()


def test_a_folder_becomes_a_model(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [folder, "--label", "gloomy=sad", "-m", "base", "-o", tmp_path / "own.onnx", "--curve"]
    status, output, told = adapt(capsys, *words, "--predictions", tmp_path / "answers.csv")
    assert status == 0
    assert output.startswith("24 clips, 3 speakers")
    assert "clips of each emotion  accuracy  95 % interval\n                 none" in output
    assert "the adapted model" in told.lower()
    assert f"try: emogram predict --model {tmp_path / 'own.onnx'} RECORDING" in told
    assert load(tmp_path / "own.onnx").info.name == "own"
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == 25
    assert not list(tmp_path.glob("*.partial"))


def test_what_helps_nothing_is_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = set()
    for model, made in (("base", "first.onnx"), (tmp_path / "first.onnx", "second.onnx")):
        words = [folder, "--label", "gloomy=sad", "-m", model, "-o", tmp_path / made, "--json"]
        _, output, told = adapt(capsys, *words)
        facts = json.loads(output)
        before, after = (facts[name]["metrics"]["accuracy"]["value"] for name in ("before", "after"))
        found.add(after > before)
        assert ("note: on these clips the adapted model is no better" in told) == (after <= before)
    assert False in found


def test_json_holds_the_scores(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [folder, "--label", "gloomy=sad", "-m", "base", "-o", tmp_path / "own.onnx", "--json", "--prior", 0.1]
    status, output, _ = adapt(capsys, *words)
    facts = json.loads(output)
    assert status == 0
    assert list(facts) == [
        "model",
        "corpora",
        "emotions",
        "new",
        "speaker_disjoint",
        "notes",
        "before",
        "after",
        "curve",
    ]
    assert (facts["model"], facts["corpora"]) == ("base", ["mine"])
    assert (facts["emotions"], facts["new"], facts["speaker_disjoint"]) == (["happy", "sad"], [], True)
    assert facts["before"]["clips"] == facts["after"]["clips"] == 24


def test_it_takes_no_torch(folder: Path, tmp_path: Path) -> None:
    words = ["adapt", str(folder), "--label", "gloomy=sad", "-m", "base", "-o", str(tmp_path / "own.onnx")]
    hidden = "torch", "lightning", "pydantic", "matplotlib", "pandas"
    program = f"import sys; sys.modules.update(dict.fromkeys({hidden})); from emogram.cli import main; sys.exit(main({words}))"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert (tmp_path / "own.onnx").exists()


def test_the_extra_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("emogram.adaptation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    status, _, told = adapt(capsys, folder)
    assert status != 0
    assert "emogram adapt needs the extra [adapt]; install it with: pip install 'emogram[adapt]'" in told


def test_mistakes_end_in_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mistakes: list[tuple[list[object], str]] = [
        (["-o", tmp_path / "own.onnx"], "adapt: no clips given; name a folder of emotions, or --corpus NAME=PATH"),
        ([folder, "-o", tmp_path / "nowhere" / "own.onnx"], "nowhere is no folder; make it first"),
        ([folder, "-o", tmp_path], "is a folder; name a file in it"),
        ([folder, "--predictions", tmp_path / "nowhere" / "a.csv"], "nowhere is no folder; make it first"),
        ([folder, folder, "--label", "gloomy=sad", "-o", tmp_path / "own.onnx"], "is there twice; name each folder"),
        ([folder], "gloomy"),
        (["--corpus", "emodb"], "--corpus emodb: write NAME=PATH"),
        ([folder, "--label", "gloomy"], "--label: 'gloomy' is not LABEL=EMOTION"),
        ([folder, "--label", "gloomy=sad", "-o", tmp_path / "own.onnx", "--prior", "-1"], "prior: -1 is not above 0"),
    ]
    for words, message in mistakes:
        status, _, told = adapt(capsys, *words)
        assert status != 0
        assert message in told
        assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())
