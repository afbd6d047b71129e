"""Who is working on a run: one file a claim, so that no two processes ever do the same run.

Claims are made, judged and taken over one at a time, under a lock that the system releases when its process dies. The
claim itself is a file that outlives its process: it names machine, process and the moment that the process started, and
is touched every few seconds. It is stale when its process is gone, or, where that cannot be seen from here, when nobody
has touched it for long.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from emogram.writing import whole

BEAT_S = 5.0
"""How often a claim is touched."""

STALE_S = 120.0
"""How long a claim of another machine may lie untouched."""


@contextmanager
def claim(runs: Path, key: str) -> Iterator[bool]:
    """Claim a run for the time of the block.

    Args:
        runs: the folder of the runs; the claim is the file ``<key>.claim`` there.
        key: of the run.

    Yields:
        Whether it could be claimed; if not, another process is at work on it.
    """
    path = runs / f"{key}.claim"
    mine = {"host": socket.gethostname(), "pid": os.getpid(), "started": _started(os.getpid())}
    with _guard(runs):
        taken = not path.exists() or is_stale(path)
        if taken:
            with whole(path) as partial:
                partial.write_text(json.dumps(mine), encoding="utf-8")
    if not taken:
        yield False
        return
    end = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, end), daemon=True)
    beat.start()
    try:
        yield True
    finally:
        end.set()
        beat.join()
        with _guard(runs):
            if _read(path) == mine:
                path.unlink(missing_ok=True)


def is_claimed(runs: Path, key: str) -> bool:
    """Whether a process is at work on a run."""
    path = runs / f"{key}.claim"
    return path.exists() and not is_stale(path)


def is_stale(path: Path) -> bool:
    """Whether the process that made a claim is gone, as far as can be seen from here."""
    holder = _read(path)
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return True
    if holder.get("host") != socket.gethostname():
        return age_s > STALE_S
    pid, started = holder.get("pid"), holder.get("started")
    if not isinstance(pid, int) or not _alive(pid):
        return True
    # A process number is given again; the moment of the start tells two processes apart where the system tells it.
    now = _started(pid)
    return now != started if now and started else age_s > STALE_S


def _guard(runs: Path) -> FileLock:
    return FileLock(runs / ".claims.lock")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _beat(path: Path, end: threading.Event) -> None:
    while not end.wait(BEAT_S):
        try:
            os.utime(path)
        except OSError:  # on a full or vanished disk the run itself will tell
            return


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there and belongs to somebody else
        return True
    return True


def _started(pid: int) -> str:
    """The moment of a process's start in ticks since boot, or nothing where the system does not tell."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = content.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
