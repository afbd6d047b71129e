"""Runs of a study: done once, whoever asks; killed at any moment; a failing one stops no other."""

import json
import multiprocessing
import os
import random
import signal
import time
import warnings
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from emogram.corpora import Clip
from emogram.errors import TrainingError
from emogram.studies import runner, tidy
from emogram.studies.plan import Plan, Task
from emogram.studies.progress import duration, status
from emogram.studies.runner import Work, run_all
from emogram.studies.store import Store
from emogram.training.configuration import Configuration
from emogram.training.material import prepare
from tests.studies import made_up


def train_slowly(
    configuration: Configuration, folder: Path, *, clips: Sequence[Clip], scores_only: bool
) -> dict[str, Any]:
    """A stand-in for a run: tells that it began and ended, goes on where it was killed, ends with the same numbers."""
    assert scores_only
    material = prepare(configuration, clips)
    key = material.identity(configuration)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "log").open("a") as log:
        log.write(f"begin {key} {os.getpid()}\n")
    for step in range(4):
        if not (folder / f"step-{step}").exists():
            time.sleep(0.004)
            (folder / f"step-{step}").touch()
    rng = random.Random(key)
    tested = list(material.split.test)
    made_up.write_run(folder, key, made_up.answers(tested, {clip.clip_id: rng.random() < 0.6 for clip in tested}))
    with (folder.parent / "log").open("a") as log:
        log.write(f"end {key} {os.getpid()}\n")
    return {}


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "train", train_slowly)
    monkeypatch.setattr(runner, "_WAIT_S", 0.01)


@pytest.fixture
def planned() -> tuple[Plan, list[Task]]:
    return made_up.plan()


def work(store: Store, tasks: Sequence[Task]) -> Work:
    return Work(store, tasks, {"own": made_up.clips()}, {}, threads=1, workers=1)


def started(store: Store, tasks: Sequence[Task]) -> BaseProcess:
    """Another process of the same program: what it has loaded is loaded already."""
    process = multiprocessing.get_context("fork").Process(target=run_all, args=(work(store, tasks),))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # no thread of this process is in the other's way
        process.start()
    return process


def log(store: Store) -> list[list[str]]:
    return [line.split() for line in (store.runs / "log").read_text().splitlines()]


def test_killed_at_random_moments_the_table_is_the_undisturbed_one(
    tmp_path: Path, fast: None, planned: tuple[Plan, list[Task]]
) -> None:
    plan, tasks = planned
    undisturbed, killed = Store(tmp_path / "undisturbed"), Store(tmp_path / "killed")
    assert run_all(work(undisturbed, tasks)) == 0
    rng, kills = random.Random(5), 0
    for _ in range(20):
        process = started(killed, tasks)
        process.join(rng.uniform(0.0, 0.3))
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        if process.exitcode == 0:
            break
    else:
        assert run_all(work(killed, tasks)) == 0
    assert kills >= 3
    assert tidy.to_csv(tidy.rows(plan, killed)) == tidy.to_csv(tidy.rows(plan, undisturbed))
    assert sum(event == "end" for event, *_ in log(killed)) == len(tasks)
    # Killed between its last result and its leave, a worker leaves a claim on a run that nobody will ask for again.
    ended = {key for event, key, *_ in log(killed) if event == "end"}
    assert {path.stem for path in killed.runs.glob("*.claim")} <= ended


def test_two_processes_never_do_the_same_run(tmp_path: Path, fast: None, planned: tuple[Plan, list[Task]]) -> None:
    _, tasks = planned
    store = Store(tmp_path)
    processes = [started(store, tasks) for _ in range(3)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    begun = [key for event, key, _ in log(store) if event == "begin"]
    assert sorted(begun) == sorted(task.run.key for task in tasks)
    assert len({process for event, _, process in log(store)}) > 1


def test_what_is_done_is_not_done_again(tmp_path: Path, fast: None, planned: tuple[Plan, list[Task]]) -> None:
    _, tasks = planned
    store = Store(tmp_path)
    run_all(work(store, tasks))
    before = log(store)
    run_all(work(store, tasks))
    assert log(store) == before


def test_studies_share_runs(tmp_path: Path, fast: None, planned: tuple[Plan, list[Task]]) -> None:
    _, tasks = planned
    other, other_tasks = made_up.plan(made_up.study(name="other", seeds=[0], axes=[
        {"name": "else", "points": [{"name": "otherwise called", "change": {"network.dropout": 0.2}}]},
        {"name": "new", "points": [{"name": "new", "change": {"network.dropout": 0.4}}]},
    ]))  # fmt: skip
    store = Store(tmp_path)
    run_all(work(store, tasks))
    assert status(store, other).done == 4
    run_all(work(store, other_tasks))
    assert sum(event == "begin" for event, *_ in log(store)) == len(tasks) + 2
    assert status(store, other).done == len(other_tasks) == 6


def test_a_failing_point_is_recorded_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: None, planned: tuple[Plan, list[Task]]
) -> None:
    plan, tasks = planned
    store, said = Store(tmp_path), list[str]()

    def train(
        configuration: Configuration, folder: Path, *, clips: Sequence[Clip], scores_only: bool
    ) -> dict[str, Any]:
        dropout = configuration.network.model_dump()["dropout"]
        if dropout == 0.3:
            raise TrainingError("it diverged; lower the rate")
        if dropout == 0.2 and configuration.seed == 1:
            raise ValueError("odd\nnumber")
        return train_slowly(configuration, folder, clips=clips, scores_only=scores_only)

    monkeypatch.setattr(runner, "train", train)
    assert run_all(work(store, tasks), say=said.append) == 6
    found = status(store, plan)
    assert (found.done, found.failed, found.left) == (6, 6, 0)
    assert "odd, fold 1, seed 0: it diverged; lower the rate" in found.failures
    assert "good, fold 2, seed 1: ValueError: odd number" in found.failures
    table = tidy.rows(plan, store)
    assert {row["status"] for row in table if row["point"] == "odd"} == {"failed"}
    assert {row["error"] for row in table if row["point"] == "odd"} == {"it diverged; lower the rate"}
    assert len(said) == 12
    assert all("\n" not in line for line in said)
    monkeypatch.setattr(runner, "train", train_slowly)
    assert run_all(work(store, tasks)) == 6
    assert run_all(work(store, tasks), retry=True) == 0


def test_a_full_disk_ends_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: tuple[Plan, list[Task]]
) -> None:
    def train(*_: Any, **__: Any) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "train", train)
    with pytest.raises(OSError, match="No space"):
        run_all(work(Store(tmp_path), planned[1]))
    assert list((tmp_path / "runs").glob("*.failure.json")) == []


def test_the_rest_is_estimated_from_what_is_done(tmp_path: Path, planned: tuple[Plan, list[Task]]) -> None:
    plan, tasks = planned
    store = Store(tmp_path)
    assert status(store, plan).left_s is None
    for task, seconds in zip(tasks[:2], (10, 30), strict=True):  # base and good, of the first fold and seed
        folder = store.run(task.run.key)
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({}))
        store.keep_cost(task.run.key, seconds)
    assert status(store, plan).left_s == pytest.approx(3 * 10 + 3 * 30 + 4 * 20)
    assert [duration(s) for s in (0.2, 89, 100, 7200)] == ["1 s", "89 s", "2 min", "2.0 h"]


def test_a_process_that_is_killed_holds_no_run_for_long(
    tmp_path: Path, fast: None, planned: tuple[Plan, list[Task]]
) -> None:
    _, tasks = planned
    store = Store(tmp_path)
    process = started(store, tasks)
    while not list(store.runs.glob("*.claim")):
        time.sleep(0.001)
    os.kill(int(process.pid or 0), signal.SIGKILL)
    process.join()
    assert run_all(work(store, tasks)) == 0
