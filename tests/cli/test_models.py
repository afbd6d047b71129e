"""`emogram models` and `emogram pretrain`: what comes along is listed, and a recipe is checked before anything is read."""

import json
from pathlib import Path

import pytest

from emogram.cli import main
from emogram.recognition import bundled
from tests.recognition.small_models import content


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "large.onnx").write_bytes(content(name="large", licence="non-commercial"))
    (folder / "base.onnx").write_bytes(content(name="base", card="base\nMUST NOT BE USED"))
    monkeypatch.setattr(bundled, "FOLDER", folder)
    monkeypatch.setattr(bundled, "COMPANIONS", ())
    monkeypatch.delenv("EMOGRAM_MODEL", raising=False)
    return folder


def test_models_are_listed_with_scores_and_licence(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    assert text.index("base ") < text.index("large ")
    for words in ("neutral, happy, sad", "accuracy  0.610", "speaker-disjoint", "licence   non-commercial", "MB"):
        assert words in text
    assert main(["models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in found] == ["base", "large"]
    assert found[0]["bytes"] == (models / "base.onnx").stat().st_size


def test_a_name_or_file_shows_its_card(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "base"]) == 0
    assert capsys.readouterr().out == "base\nMUST NOT BE USED\n"
    assert main(["models", str(models / "large.onnx")]) == 0
    assert "non-commercial" in capsys.readouterr().out
    assert main(["models", "huge"]) == 2
    assert "choose base, large" in capsys.readouterr().err


def test_without_models_the_error_says_how_to_make_them(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in models.iterdir():
        path.unlink()
    assert main(["models"]) == 2
    assert "make pretrained" in capsys.readouterr().err


def test_predict_takes_a_model_by_name(models: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["predict", "--model", "large", str(tmp_path / "none.wav")]) == 1
    assert "none.wav: does not exist" in capsys.readouterr().err
    assert main(["predict", "--model", "lrge", str(tmp_path / "none.wav")]) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["RECIPE"], 2, "--data: none given"),
        (["RECIPE", "--data", "DATA", "--folds", "x"], 2, "--folds x: write numbers"),
        (["RECIPE", "--data", "DATA", "names=x"], 2, "names"),
        (["RECIPE", "--data", "DATA"], 1, "tess"),
        (["a.yaml", "b.yaml", "--data", "DATA"], 2, "give one recipe"),
    ],
)
def test_pretrain_is_refused_in_one_line(
    arguments: list[str],
    status: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EMOGRAM_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("name: tiny\nsummary: small\ncorpora: {tess: tess}\nconfiguration: {}\n")
    typed = [{"RECIPE": str(recipe), "DATA": str(tmp_path / "data")}.get(word, word) for word in arguments]
    assert main(["pretrain", *typed]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert shown.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
