"""Does the runs of a study: any number of processes at once, each taking the next run that nobody has or does."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from emogram import processors
from emogram.errors import ConfigurationError, EmogramError
from emogram.studies.claims import claim
from emogram.studies.conditions import Condition, OtherCorpus, predict
from emogram.studies.plan import Clips, Task, joined
from emogram.studies.progress import describe_progress
from emogram.studies.store import Store
from emogram.training.cache import default_folder
from emogram.training.processes import each_in_a_process
from emogram.training.run import train
from emogram.training.trained import TrainedRun, drop_state

_WAIT_S = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """What a worker is given.

    Attributes:
        store: of the runs.
        tasks: in the order in which they are done.
        clips: of every corpus.
        conditions: of the study, by label.
        threads: of the processor, for each worker.
        workers: at a time.
    """

    store: Store
    tasks: Sequence[Task]
    clips: Clips
    conditions: dict[str, Condition]
    threads: int
    workers: int


def run_all(work: Work, *, retry: bool = False, say: Say = lambda _: None) -> int:
    """Do every run that is not done, and wait for those that other processes are doing.

    Args:
        work: what to do.
        retry: try failed runs again.
        say: told of every run.

    Returns:
        How many runs failed, now or before.

    Raises:
        OSError: the disk is full or gone; what is done is kept.
    """
    work.store.runs.mkdir(parents=True, exist_ok=True)
    if retry:
        for task in work.tasks:
            work.store.forget_failure(task.run.key)
    if work.workers == 1:
        _work(work, say)
    else:
        arguments = dict.fromkeys(range(work.workers), (work,))
        with closing(each_in_a_process(_work_aloud, arguments, jobs=work.workers)) as outcomes:
            for worker, outcome in outcomes:
                if isinstance(outcome, EmogramError):
                    say(f"worker {worker + 1}: {outcome}")
        _work(work, say)  # whatever a worker that was killed has left undone
    return sum(work.store.failure(task.run.key) is not None for task in work.tasks)


def threads_each(workers: int) -> int:
    """The share of the processors of each of several workers."""
    return max(1, processors.count() // workers)


def _work_aloud(work: Work) -> None:
    _work(work, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201


def _work(work: Work, say: Say) -> None:
    """Pass over the tasks until none is open."""
    open_tasks = [task for task in work.tasks if _is_open(work, task)]
    while open_tasks:
        busy = False
        for task in open_tasks:
            if not _is_open(work, task):
                continue
            with claim(work.store.runs, task.run.key) as mine:
                busy |= not mine
                if mine and _is_open(work, task):
                    _do(work, task, say)
        open_tasks = [task for task in open_tasks if _is_open(work, task)]
        if busy and open_tasks:
            time.sleep(_WAIT_S)


def _is_open(work: Work, task: Task) -> bool:
    done = work.store.is_done(task.run.key, task.run.conditions)
    return not done and work.store.failure(task.run.key) is None


def _do(work: Work, task: Task, say: Say) -> None:
    """Do one run, or record why it cannot be done."""
    started = time.monotonic()
    try:
        _train(work, task)
    except OSError:  # no fault of this run: no other would do better
        raise
    except Exception as error:
        work.store.record_failure(task.run.key, _one_line(error))
    say(describe_progress(work.store, task, work.tasks, work.workers, time.monotonic() - started))


def _train(work: Work, task: Task) -> None:
    store, key = work.store, task.run.key
    fresh = not store.run(key).exists()
    started = time.monotonic()
    clips = joined(work.clips, task.corpora)
    threads = task.configuration.runtime.threads or work.threads
    runtime = task.configuration.runtime.model_copy(update={"threads": threads})
    configuration = task.configuration.model_copy(update={"runtime": runtime})
    if store.metrics(key) is None:
        train(configuration, store.run(key), clips=clips, scores_only=True)
        if fresh:
            store.keep_cost(key, time.monotonic() - started)
    drop_state(store.run(key))
    missing = store.missing(key, task.run.conditions)
    if not missing:
        return
    tested = set(_tested(store, key))
    trained = TrainedRun(configuration, store.run(key), clips)
    for label in missing:
        condition = work.conditions[label]
        chosen = [clip for clip in clips if clip.clip_id in tested]
        if isinstance(condition, OtherCorpus):
            chosen = list(work.clips[condition.corpus])
        answers = predict(trained, chosen, condition, runtime.cache or default_folder())
        store.keep_predictions(key, task.run.conditions[label], answers)


def _tested(store: Store, key: str) -> tuple[str, ...]:
    predictions = store.predictions(key, "clean")
    if predictions is None:
        raise ConfigurationError(f"{store.run(key)}: has no predictions; delete it and run again")
    return predictions.clip_ids


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())[:400]
    return text if isinstance(error, EmogramError) else f"{type(error).__name__}: {text}"
