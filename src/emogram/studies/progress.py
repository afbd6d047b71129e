"""How far a study is, and how long the rest will take, from the runs that are done."""

from collections.abc import Sequence
from dataclasses import dataclass

from emogram.studies.claims import is_claimed
from emogram.studies.plan import Plan, Planned, Task
from emogram.studies.store import Store


@dataclass(frozen=True)
class Status:
    """Counts of the distinct runs of a study.

    Attributes:
        done: with all conditions.
        failed: with a recorded error.
        running: claimed by a process just now.
        left: neither done nor failed.
        left_s: estimated seconds of work in those left; None before any run is done.
        failures: point, fold, seed and error of each failed run.
    """

    done: int
    failed: int
    running: int
    left: int
    left_s: float | None
    failures: tuple[str, ...]


def status(store: Store, plan: Plan) -> Status:
    """Look up every run of a plan."""
    runs = list({run.key: run for run in plan.runs}.values())
    done = [run for run in runs if store.is_done(run.key, run.conditions)]
    failures = [
        f"{run.point}, fold {run.fold}, seed {run.seed}: {error}"
        for run in runs
        if run not in done and (error := store.failure(run.key)) is not None
    ]
    left = [run for run in runs if run not in done and store.failure(run.key) is None]
    return Status(
        done=len(done),
        failed=len(failures),
        running=sum(is_claimed(store.runs, run.key) for run in left),
        left=len(left),
        left_s=_estimate(store, left, done),
        failures=tuple(failures),
    )


def describe_progress(store: Store, task: Task, tasks: Sequence[Task], workers: int, seconds: float) -> str:
    """One line about a run that has just ended: what it gave, how many are left, for how long."""
    runs = [other.run for other in tasks]
    done = [run for run in runs if store.is_done(run.key, run.conditions)]
    left = [run for run in runs if run not in done and store.failure(run.key) is None]
    head = f"{len(runs) - len(left)} of {len(runs)}: {task.run.point}, fold {task.run.fold}, seed {task.run.seed}"
    failure = store.failure(task.run.key)
    if failure is not None:
        return f"{head}: failed: {failure}"
    metrics = store.metrics(task.run.key) or {}
    accuracy = metrics["test"]["metrics"]["accuracy"]["value"]
    rest = _estimate(store, left, done)
    after = f"; about {duration(rest / workers)} left" if rest else ""
    return f"{head}: accuracy {100 * accuracy:.1f} %, {seconds:.0f} s{after}"


def duration(seconds: float) -> str:
    """Seconds in words that are no more precise than an estimate is: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _estimate(store: Store, left: Sequence[Planned], done: Sequence[Planned]) -> float | None:
    """Each run takes what the runs of its point took on average, or all runs where none of its point is done."""
    took: dict[str, list[float]] = {}
    for run in done:
        seconds = store.seconds(run.key)
        if seconds:
            took.setdefault(run.point, []).append(seconds)
    known = [seconds for values in took.values() for seconds in values]
    if not known:
        return None
    mean = {point: sum(values) / len(values) for point, values in took.items()}
    return sum(mean.get(run.point, sum(known) / len(known)) for run in left)
