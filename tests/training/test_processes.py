"""Calls in processes of their own: each has its own fate, and none outlives its parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emogram.errors import AudioError, TrainingError
from emogram.training import processes
from emogram.training.processes import each_in_a_process, mapped
from tests.training.stand_ins import doubled, work


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


def is_gone(process: int) -> bool:
    for _ in range(500):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_each_call_has_its_own_fate(tmp_path: Path) -> None:
    arguments = {number: (what, tmp_path) for number, what in enumerate(["die", "fail", "well", "done"], start=1)}
    outcomes: dict[int, Any] = dict(each_in_a_process(work, arguments, jobs=2))
    assert sorted(outcomes) == [1, 2, 3, 4]
    assert (outcomes[3], outcomes[4]) == ("well", "done")
    assert isinstance(outcomes[1], TrainingError)
    assert str(outcomes[1]) == "its process was killed; train again, with fewer jobs if memory is short"
    assert isinstance(outcomes[2], AudioError)
    assert str(outcomes[2]) == "a.wav: is odd; mend it"


def test_what_is_no_error_of_emogram_is_raised(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        list(each_in_a_process(work, {1: ("break", tmp_path)}, jobs=2))


def test_an_interruption_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = tmp_path / "process"

    def interrupted(_: object) -> Iterator[Any]:
        wait_for(process)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(processes, "as_completed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(each_in_a_process(work, {1: ("for ever", tmp_path), 2: ("well", tmp_path)}, jobs=1))
    assert multiprocessing.active_children() == []
    assert is_gone(int(process.read_text()))


def test_a_caller_that_gives_up_ends_the_processes(tmp_path: Path) -> None:
    outcomes = each_in_a_process(work, {1: ("for ever", tmp_path), 2: ("well", tmp_path)}, jobs=2)
    assert next(outcomes) == (2, "well")
    wait_for(tmp_path / "process")
    outcomes.close()
    assert is_gone(int((tmp_path / "process").read_text()))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_parent_takes_its_processes_with_it(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from emogram.training.processes import each_in_a_process
from tests.training.stand_ins import work
if __name__ == "__main__":
    list(each_in_a_process(work, {1: ("for ever", Path(sys.argv[1]))}, jobs=1))
"""
    (tmp_path / "parent.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py"), str(tmp_path)], env=environment)
    wait_for(tmp_path / "process")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert is_gone(int((tmp_path / "process").read_text()))


@pytest.mark.parametrize("jobs", [1, 2])
def test_many_small_tasks_come_in_their_order(jobs: int) -> None:
    assert list(mapped(doubled, ["a", "b", "c", "d"], jobs=jobs)) == ["aa", "bb", "cc", "dd"]
    with pytest.raises(AudioError, match=r"a\.wav: is odd; mend it"):
        list(mapped(doubled, ["a", "fail", "b"], jobs=jobs))


def test_a_process_that_dies_is_one_line_and_leaves_no_other() -> None:
    with pytest.raises(TrainingError, match="a process was killed; run again, with fewer jobs"):
        list(mapped(doubled, ["a", "die", "b"], jobs=2))
    assert multiprocessing.active_children() == []


def test_a_caller_that_gives_up_ends_processes_that_are_kept() -> None:
    results = mapped(doubled, ["a", "sleep", "sleep"], jobs=2)
    assert next(results) == "aa"
    children = multiprocessing.active_children()
    results.close()
    assert children
    assert all(is_gone(child.pid) for child in children if child.pid is not None)
