"""Streams that are open: how many, and how they end when the server does. They have threads of their own."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from emogram.server.problems import Problem, closing

_Result = TypeVar("_Result")

_THREADS = 2
"""Apart from those of the desk, so that live sound does not wait behind files."""


class Sessions:
    """The streams of a server.

    Args:
        limit: how many may be open.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0
        self.closing = asyncio.Event()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="emogram-stream")

    @contextlib.contextmanager
    def enter(self) -> Iterator[None]:
        """Count one session more.

        Raises:
            Problem: there are too many, or the server is shutting down.
        """
        if self.closing.is_set():
            raise closing()
        if self.count >= self.limit:
            raise Problem(503, "too_many_sessions", f"{self.limit} streams are open already; try again later")
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """What a piece of work on a thread of the streams gives."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def finish(self, within_s: float) -> None:
        """Have every stream say what it has left and end."""
        self.closing.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.count:
                    await asyncio.sleep(0.02)

    def close(self) -> None:
        """Wait for the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
