"""How many processors this process may use."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def count() -> int:
    """Processors that this process may keep busy, at least one.

    Those of the machine, less those that an affinity mask takes away (`taskset`, a batch system) and those that a
    container's quota of time does not pay for (`--cpus`), rounded up. Threads beyond that wait for one another: two
    that share one processor compute at a fifth of the rate of one.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(_CGROUP)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(root: Path) -> float | None:
    """Processors' worth of time that the control group at `root` may use; None: no limit, or none that can be read."""
    try:
        if (root / "cpu.max").exists():  # version 2
            quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota, period = ((root / "cpu" / name).read_text(encoding="ascii") for name in _VERSION_1)
        processors = float(quota) / float(period)  # "max" and "-1" stand for no limit
    except (OSError, ValueError, ZeroDivisionError):
        return None
    return processors if processors > 0 else None


_VERSION_1 = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
