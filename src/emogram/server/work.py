"""The threads that recognise: what waits for them is bounded, what nobody waits for any more is not begun."""

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

from emogram.server.bodies import Deadline
from emogram.server.problems import ClientGoneError, Problem, closing

_Result = TypeVar("_Result")

Work = Callable[[threading.Event], _Result]
"""What a thread does. The event says that nobody waits for it any more; long work looks at it now and then."""


class AbandonedError(Exception):
    """Nobody waits for this work any more."""


class Desk:
    """Takes recordings in as long as there is room, and has threads work on them in the order in which they came.

    Decoding and the network leave Python's lock alone, so threads use as many processors as there are.

    Args:
        threads: how many recordings are worked on at a time.
        queue: how many more may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self.threads = threads
        self.capacity = threads + queue
        self.pending = 0
        self._mean_s = 0.1
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="emogram-desk")

    @property
    def waiting(self) -> int:
        """Recordings that wait for a thread."""
        return max(0, self.pending - self.threads)

    def check(self, count: int = 1) -> None:
        """Whether so many recordings can be taken in.

        Raises:
            Problem: the queue is full.
        """
        if self.pending + count > self.capacity:
            seconds = max(1, min(60, math.ceil(self.pending * self._mean_s / self.threads)))
            detail = f"{self.waiting} recordings are waiting already; try again in {seconds} s"
            raise Problem(429, "busy", detail, headers={"Retry-After": str(seconds)})

    async def run(self, works: Sequence[Work[_Result]]) -> list[_Result]:
        """What each of them gives. On cancellation those not begun are dropped, and the others told.

        Raises:
            Problem: there is no room for all of them, or the server is shutting down.
        """
        self.check(len(works))
        abandoned = threading.Event()
        futures: list[Future[_Result]] = []
        try:
            futures.extend(self._submit(work, abandoned) for work in works)
            return await asyncio.gather(*map(asyncio.wrap_future, futures))
        finally:
            abandoned.set()
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Wait for what is being worked on."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Work[_Result], abandoned: threading.Event) -> Future[_Result]:
        try:
            future = self._pool.submit(self._timed, work, abandoned)
        except RuntimeError:  # the threads are gone
            raise closing() from None
        with self._lock:
            self.pending += 1
        future.add_done_callback(self._leave)
        return future

    def _timed(self, work: Work[_Result], abandoned: threading.Event) -> _Result:
        started = time.perf_counter()
        try:
            return work(abandoned)
        finally:
            with self._lock:
                self._mean_s += 0.1 * (time.perf_counter() - started - self._mean_s)

    def _leave(self, _: object) -> None:
        with self._lock:
            self.pending -= 1


async def while_wanted(request: Request, deadline: Deadline, answer: Awaitable[_Result]) -> _Result:
    """An answer, as long as its client waits for it and the deadline has not passed; else it is cancelled.

    Args:
        request: whose body has been received.
        deadline: of its answer.
        answer: that is being worked on.

    Raises:
        Problem: 504 where the deadline has passed.
        ClientGoneError: the client hung up.
    """
    task = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait((task, gone), timeout=deadline.left_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if gone.done():
            raise ClientGoneError
        detail = (
            f"the answer took longer than {deadline.seconds:g} s; send fewer or shorter recordings, or try again later"
        )
        raise Problem(504, "deadline", detail)
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
