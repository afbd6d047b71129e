"""`emogram compare`: a sentence anyone can read, numbers for a program, and refusals in one line."""

import json
from pathlib import Path

import pytest

from emogram.cli import main
from emogram.evaluation import published_predictions, write_predictions
from tests.evaluation.made_up import predictions


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    for name, skill in (("strong", 3.0), ("weak", 0.5), ("other", 3.0)):
        table = predictions(skill=skill, seed=1 if name == "other" else 0)
        (tmp_path / name).mkdir()
        write_predictions(tmp_path / name / "predictions-test.csv", table)
    return [str(tmp_path / name) for name in ("strong", "weak", "other")]


def test_the_better_one_is_named(tables: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", tables[0], tables[1]]) == 0
    told = capsys.readouterr()
    first, second = told.out.splitlines()
    assert first.startswith("Strong is better than weak: accuracy")
    assert second.startswith("Strong is better than weak: unweighted average recall")
    assert "corrected for 2 scores" in told.err
    assert "McNemar" in told.err
    assert main(["compare", f"{tables[1]}/predictions-test.csv", tables[0], "-m", "uar"]) == 0
    assert capsys.readouterr().out.startswith("Predictions-test.csv is worse than strong")


def test_json_has_every_number(tables: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", tables[0], tables[1], "--json", "-m", "accuracy", "-m", "f1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["first"], found["second"]) == ("strong", "weak")
    accuracy, f1 = found["comparisons"]
    assert accuracy["first"] - accuracy["second"] == pytest.approx(accuracy["difference"]["value"])
    assert accuracy["holm_p"] >= accuracy["p_value"]
    assert f1["verdict"] == "better"


def test_a_published_system_is_itself(capsys: pytest.CaptureFixture[str]) -> None:
    luna = published_predictions("luna-xlsr")
    assert len(luna) == 1440
    assert len(set(luna.speakers)) == 24
    # Published is the mean over five folds, 81.82 %; over clips it is a little more, since one fold is shorter.
    assert float((luna.predicted == luna.truth).mean()) == pytest.approx(0.8194, abs=5e-5)
    assert main(["compare", "published:luna-xlsr", "published:luna-xlsr", "--metric", "accuracy"]) == 0
    assert "No evidence that luna-xlsr and luna-xlsr differ: accuracy 81.9 % against 81.9 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["published:luna-xslr", "published:luna-xlsr"], "did you mean 'luna-xlsr'"),
        (["nowhere", "published:luna-xlsr"], "nowhere: there is no such run"),
        (["published:luna-xlsr", "published:luna-xlsr", "--metric", "luck"], "metric 'luck'"),
    ],
)
def test_refusals(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_other_clips_cannot_be_compared(tables: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", tables[0], "published:luna-xlsr"]) == 2
    assert "their emotions differ" in capsys.readouterr().err
