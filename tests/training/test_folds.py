"""Several folds: pooled, the same however many run at a time, and none lost when one fails."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emogram.errors import AudioError, ConfigurationError, TrainingError
from emogram.evaluation.predictions import read_predictions
from emogram.training import folds as folds_module
from emogram.training.folds import train_folds
from emogram.training.run_folder import ENVIRONMENT, METRICS, write_json
from tests.training import runs

pytestmark = pytest.mark.timeout(400)  # the first test waits for the run
FILES = ("predictions-train.csv", "predictions-validation.csv", "predictions-test.csv")


def test_the_folds_are_pooled(folds: runs.Folds) -> None:
    pooled = read_predictions(folds.folder / "predictions-test.csv")
    each = [read_predictions(folds.folder / f"fold-{fold}" / "predictions-test.csv") for fold in (1, 2)]
    assert pooled.clip_ids == each[0].clip_ids + each[1].clip_ids
    np.testing.assert_array_equal(pooled.probabilities, np.concatenate([part.probabilities for part in each]))
    assert not set(each[0].speakers) & set(each[1].speakers)
    metrics = json.loads((folds.folder / METRICS).read_text())
    assert metrics == folds.metrics
    assert metrics["test"]["clips"] == len(pooled)
    assert [row["fold"] for row in metrics["folds"]] == [1, 2]
    assert metrics["mean_accuracy"] == pytest.approx(np.mean([row["accuracy"] for row in metrics["folds"]]))
    assert (folds.folder / "figures" / "confusion.svg").is_file()
    assert len({row["key"] for row in metrics["folds"]}) == 2


def test_two_jobs_give_what_one_gives(folds: runs.Folds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    material = folds.material
    monkeypatch.setattr(folds_module, "_train_quietly", runs.train_without_export)
    metrics = train_folds(material.configuration(), tmp_path, material.clips(), folds=[1, 2], jobs=2, say=said.append)
    for name in [f"fold-{fold}/{file}" for fold in (1, 2) for file in FILES] + ["predictions-test.csv"]:
        assert (tmp_path / name).read_bytes() == (folds.folder / name).read_bytes()
    assert metrics["test"] == folds.metrics["test"]
    assert metrics["configuration"] == folds.metrics["configuration"]
    assert sorted(line[:6] for line in said[1:]) == ["fold 1", "fold 2"]


def test_finished_folds_are_not_trained_again(folds: runs.Folds) -> None:
    stamps = {fold: (folds.folder / f"fold-{fold}" / METRICS).stat().st_mtime_ns for fold in (1, 2)}
    said: list[str] = []
    material = folds.material
    metrics = train_folds(material.configuration(), folds.folder, material.clips(), folds=[1, 2], say=said.append)
    assert metrics == folds.metrics
    assert [line for line in said if "accuracy" not in line] == [
        f"{folds.folder / f'fold-{fold}'}: done already" for fold in (1, 2)
    ]
    assert stamps == {fold: (folds.folder / f"fold-{fold}" / METRICS).stat().st_mtime_ns for fold in (1, 2)}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([1, 1], "folds: fold 1 is named twice; name it once"),
        ([0], "folds: there is no fold 0; split 'kfold' has folds 1 to 4, choose one of these"),
        ([5], "folds: there is no fold 5; split 'kfold' has folds 1 to 4, choose one of these"),
        ([], "folds: none named; split 'kfold' has folds 1 to 4"),
    ],
)
def test_a_choice_of_folds_that_cannot_be_is_refused(
    material: runs.Material, tmp_path: Path, chosen: Sequence[int], message: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        train_folds(material.configuration(), tmp_path / "new", material.clips(), folds=chosen)
    assert str(refusal.value) == message
    assert not (tmp_path / "new").exists()


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({ENVIRONMENT: {"key": "x"}, METRICS: {"key": "x"}}, "holds a single run; choose another folder for folds"),
        ({"notes.json": {}}, "is not empty and holds no folds; choose another folder"),
        ({f"fold-2/{ENVIRONMENT}": {"key": "x"}}, "fold-2: holds a run of another configuration or other clips"),
        ({f"fold-3/{ENVIRONMENT}": {"key": "x"}}, "fold-3: holds a run of another configuration or other clips"),
        ({f"fold-7/{ENVIRONMENT}": {"key": "x"}}, "fold-7: is no fold of split 'kfold'; choose another folder"),
        ({f"fold-1/{ENVIRONMENT}": {}}, "environment.json: does not say whose run this is"),
    ],
)
def test_a_folder_that_holds_something_else_is_refused_and_untouched(
    material: runs.Material, tmp_path: Path, files: dict[str, dict[str, str]], message: str
) -> None:
    folder = tmp_path / "folds"
    for name, fields in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_json(folder / name, fields)
    before = content(folder)
    with pytest.raises(TrainingError) as refusal:
        train_folds(material.configuration(), folder, material.clips(), folds=[1, 2])
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert content(folder) == before


def failing(errors: Mapping[int, BaseException], trained: list[int]) -> Any:
    def train(configuration: Any, folder: Path, **_: Any) -> dict[str, Any]:
        fold = configuration.split.fold
        if fold in errors:
            raise errors[fold]
        trained.append(fold)
        return {"test": {"metrics": {"accuracy": {"value": 0.5}}}}

    return train


def test_when_a_fold_fails_the_others_finish(
    material: runs.Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    errors = {2: TrainingError("epoch 1: the loss is nan"), 3: AudioError("a.wav", "is odd", "mend it")}
    monkeypatch.setattr(folds_module, "train", failing(errors, trained))
    said: list[str] = []
    with pytest.raises(TrainingError) as failure:
        train_folds(material.configuration(), tmp_path / "a", material.clips(), say=said.append)
    assert trained == [1, 4]
    assert str(failure.value) == "folds 2, 3 failed; fold 2: epoch 1: the loss is nan"
    assert said == [
        "fold 1: accuracy 50.0 % on its test part",
        "fold 2: failed: epoch 1: the loss is nan",
        "fold 3: failed: a.wav: is odd; mend it",
        "fold 4: accuracy 50.0 % on its test part",
    ]
    assert not (tmp_path / "a" / METRICS).exists()
    del errors[2]
    with pytest.raises(TrainingError, match=r"^fold 3: a\.wav: is odd; mend it$"):
        train_folds(material.configuration(), tmp_path / "a", material.clips())


def test_a_wrong_setting_is_told_at_once(
    material: runs.Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    monkeypatch.setattr(folds_module, "train", failing({1: ConfigurationError("x: wrong")}, trained))
    with pytest.raises(ConfigurationError, match="x: wrong"):
        train_folds(material.configuration(), tmp_path / "a", material.clips())
    assert trained == []
