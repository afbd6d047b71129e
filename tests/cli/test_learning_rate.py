"""`emogram learning-rate`: an answer in words or JSON, a picture, one line for what goes wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from emogram.cli import main
from emogram.training import learning_rate
from emogram.training.learning_rate import RangeTest
from tests.training import runs

RATES = np.geomspace(1e-6, 1.0, 25)
LOSSES = (np.log10(RATES) + 2) ** 2


@pytest.fixture
def words(material: runs.Material, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command whose test has been done already."""
    monkeypatch.setattr(learning_rate, "range_test", lambda *_, **__: RangeTest(RATES, LOSSES, LOSSES))
    return ["learning-rate", *material.settings(), "-c", f"synthetic={material.corpus}"]


def test_the_answer_is_text(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    output, errors = capsys.readouterr()
    assert output.splitlines() == [
        "adamw, 25 batches of 8 clips",
        "steepest descent        1e-06",
        "lowest loss             0.01",
        "a tenth of the latter   0.001",
        "try fit.optimizer.learning_rate=1.0e-03, now 0.002",
    ]
    assert errors == ""


def test_json_holds_the_curve(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json", "fit.optimizer=lion"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["optimizer"] == "lion"
    assert told["suggestion"] == pytest.approx(1e-3)
    assert told["rates"] == RATES.tolist()
    assert len(told["losses"]) == len(told["smoothed"]) == 25


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_the_curve_is_drawn(
    words: list[str], tmp_path: Path, suffix: str, magic: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"lr{suffix}"
    assert main([*words, "-o", str(path)]) == 0
    assert path.read_bytes().startswith(magic)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert capsys.readouterr().err == f"curve: {path}\n"


def test_an_end_that_still_falls_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(learning_rate, "range_test", lambda *_, **__: RangeTest(RATES, -RATES, -RATES))
    assert main(words) == 0
    assert "the loss was still falling at 1; look further with --to 10" in capsys.readouterr().out


def test_a_picture_of_another_kind_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "-o", "lr.jpg"]) == 2
    assert capsys.readouterr().err == "emogram: error: --output lr.jpg: no kind of picture; end it in .svg or .png\n"
