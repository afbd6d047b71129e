"""Several calls of one function in other processes, which end when their parent does."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from emogram.errors import EmogramError, TrainingError

Result = TypeVar("Result")
Task = TypeVar("Task")


def each_in_a_process(
    function: Callable[..., Result], arguments: Mapping[int, tuple[Any, ...]], *, jobs: int
) -> Generator[tuple[int, Result | EmogramError], None, None]:
    """Call a function with each of several lists of arguments, some at a time.

    An own process for each call leaves no memory behind, and one that is killed takes no other with it. When the caller
    gives up, all of them end.

    Args:
        function: of a module, since it is found by its name in the other process.
        arguments: of each call.
        jobs: calls at a time.

    Yields:
        The key of a call with its result or its error, in the order in which they come.

    Raises:
        Exception: whatever a call raises that is no `EmogramError`.
    """
    context = multiprocessing.get_context("spawn")
    life, end = context.Pipe(duplex=False)

    def call(key: int) -> Result | EmogramError:
        with ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent, initargs=(life,)) as executor:
            try:
                return executor.submit(function, *arguments[key]).result()
            except BrokenProcessPool:
                return TrainingError("its process was killed; train again, with fewer jobs if memory is short")
            except EmogramError as error:
                return error

    with ThreadPoolExecutor(jobs) as places:
        futures = {places.submit(call, key): key for key in arguments}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            end.close()
            places.shutdown(wait=False, cancel_futures=True)
            raise


def mapped(function: Callable[[Task], Result], tasks: Sequence[Task], *, jobs: int) -> Generator[Result, None, None]:
    """Results of a function for many small tasks, in their order, from processes that are kept; from this one for one job.

    When the caller gives up or is killed, the processes end.

    Args:
        function: of a module, since it is found by its name in the other processes.
        tasks: its arguments.
        jobs: processes.

    Raises:
        TrainingError: a process was killed.
        Exception: whatever a call raises.
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    context = multiprocessing.get_context("spawn")
    life, end = context.Pipe(duplex=False)
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent, initargs=(life,)) as executor:
        try:
            yield from executor.map(function, tasks)
        except BrokenProcessPool as error:
            raise TrainingError("a process was killed; run again, with fewer jobs if memory is short") from error
        except BaseException:
            end.close()
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent(life: Connection) -> None:
    """End this process when its parent gives up, or is killed and with it its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which reaches all processes of a terminal: the parent decides

    def watch() -> None:
        life.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
