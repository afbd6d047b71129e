"""Claims: one at a time, released, taken over from the dead and from nobody else."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from emogram.studies import claims
from emogram.studies.claims import claim, is_claimed


def test_one_at_a_time(tmp_path: Path) -> None:
    with claim(tmp_path, "a") as mine:
        assert mine
        with claim(tmp_path, "a") as other:
            assert not other
        assert is_claimed(tmp_path, "a")
        with claim(tmp_path, "b") as another:
            assert another
    assert not is_claimed(tmp_path, "a")
    assert list(tmp_path.glob("*.claim")) == []


def test_of_many_threads_one_wins(tmp_path: Path) -> None:
    won, start, end = [], threading.Barrier(8), threading.Barrier(8)

    def race() -> None:
        start.wait()
        with claim(tmp_path, "a") as mine:
            won.append(mine)
            end.wait()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def left(folder: Path, age_s: float = 0.0, **holder: object) -> None:
    mine = {"host": socket.gethostname(), "pid": os.getpid(), "started": claims._started(os.getpid())}
    path = folder / "a.claim"
    path.write_text(json.dumps(mine | holder))
    os.utime(path, (time.time() - age_s,) * 2)


def dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("holder", "age_s", "free"),
    [
        ({}, 10_000, False),  # alive, however long it has been suspended
        ({"pid": None}, 0, True),
        ({"pid": "dead"}, 0, True),
        ({"started": "1"}, 0, True),  # another process has got the number since
        ({"started": ""}, 0, False),
        ({"started": ""}, 10_000, True),
        ({"host": "elsewhere", "pid": 1}, 0, False),
        ({"host": "elsewhere", "pid": 1}, 10_000, True),
    ],
)
def test_only_a_stale_claim_is_taken_over(tmp_path: Path, holder: dict[str, object], age_s: float, free: bool) -> None:
    if holder.get("pid") == "dead":
        holder = {"pid": dead()}
    left(tmp_path, age_s, **holder)
    with claim(tmp_path, "a") as mine:
        assert mine is free


def test_a_damaged_claim_is_nobodys_once_it_is_old(tmp_path: Path) -> None:
    left(tmp_path)
    path = tmp_path / "a.claim"
    path.write_text("{")
    assert is_claimed(tmp_path, "a")
    os.utime(path, (0, 0))
    assert not is_claimed(tmp_path, "a")


def test_a_claim_is_touched_while_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.01)
    with claim(tmp_path, "a"):
        path = tmp_path / "a.claim"
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 10
        while path.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 0


def test_a_claim_that_was_taken_over_is_left_to_its_new_holder(tmp_path: Path) -> None:
    with claim(tmp_path, "a"):
        left(tmp_path, host="elsewhere")
    assert is_claimed(tmp_path, "a")
