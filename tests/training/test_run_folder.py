"""The run folder: whose it is, and files that are whole or not there."""

import json
from pathlib import Path

import pytest

from emogram.errors import TrainingError
from emogram.training.run_folder import ENVIRONMENT, METRICS, finished, is_free, owner, require_own, write_json


def test_a_folder_that_is_new_empty_or_its_own_is_taken(tmp_path: Path) -> None:
    require_own(tmp_path / "new", "key")
    require_own(tmp_path, "key")
    (tmp_path / f"{ENVIRONMENT}.partial").write_text("what a killed run was about to write")
    assert is_free(tmp_path)
    require_own(tmp_path, "key")
    write_json(tmp_path / ENVIRONMENT, {"key": "key"})
    (tmp_path / "history.csv").write_text("")
    require_own(tmp_path, "key")
    assert owner(tmp_path) == "key"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({ENVIRONMENT: '{"key": "other"}'}, "run: holds a run of another configuration or other clips; choose another"),
        ({"thesis.tex": ""}, "run: is not empty and holds no run of its own; choose another folder"),
        ({METRICS: '{"folds": []}'}, "run: is not empty and holds no run of its own; choose another folder"),
        ({ENVIRONMENT: '{"key": 3}'}, "environment.json: does not say whose run this is; choose another folder"),
        ({ENVIRONMENT: ""}, "environment.json: damaged (it is no JSON); choose another folder"),
        ({ENVIRONMENT: "[1]"}, "environment.json: damaged (it holds no fields); choose another folder"),
        ({ENVIRONMENT: "[" * 100_000}, "environment.json: damaged (it is no JSON); choose another folder"),
    ],
)
def test_any_other_folder_is_refused_in_one_line(tmp_path: Path, files: dict[str, str], message: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    with pytest.raises(TrainingError) as refusal:
        require_own(folder, "key")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(TrainingError, match="run: is a file; choose another folder"):
        require_own(tmp_path / "run", "key")


def test_only_its_own_metrics_finish_a_run(tmp_path: Path) -> None:
    assert finished(tmp_path, "key") is None
    write_json(tmp_path / METRICS, {"key": "other"})
    assert finished(tmp_path, "key") is None
    write_json(tmp_path / METRICS, {"key": "key", "score": 0.5})
    assert finished(tmp_path, "key") == {"key": "key", "score": 0.5}
    (tmp_path / METRICS).write_text('{"key": "k')
    with pytest.raises(TrainingError, match=r"metrics\.json: damaged \(it is no JSON\); delete it and train again"):
        finished(tmp_path, "key")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_json(tmp_path / METRICS, {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / METRICS, {"a": {1}})
    assert json.loads((tmp_path / METRICS).read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == [METRICS]
