"""Receiving the body of a request: in memory, counted as it comes, within its size, its time and everybody's memory."""

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.requests import Request

from emogram.server.problems import ClientGoneError, Problem, too_large


class Deadline:
    """The moment until which a request has to be answered.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = asyncio.get_running_loop().time() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 when it has passed."""
        return max(0.0, self._at - asyncio.get_running_loop().time())


class Memory:
    """How many bytes of bodies are held, all requests together.

    Args:
        limit: the most that may be.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """What one request holds, given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held


class Share:
    """What one request holds of the memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.held = 0

    def take(self, count: int) -> None:
        """Hold so many bytes more.

        Raises:
            Problem: there are not so many.
        """
        if self._memory.held + count > self._memory.limit:
            detail = "too many large requests at once; try again later"
            raise Problem(503, "out_of_memory", detail, headers={"Retry-After": "2"})
        self._memory.held += count
        self.held += count


async def receive(request: Request, limit: int, deadline: Deadline, pause_s: float, share: Share) -> bytearray:
    """The body of a request.

    Args:
        request: whose body has not been touched.
        limit: the most bytes it may have.
        deadline: until which it has to be there.
        pause_s: the longest wait for the next piece.
        share: of the memory, that it is counted to.

    Raises:
        Problem: too large, too slow, or no memory is left.
        ClientGoneError: the client hung up.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    body = bytearray()
    while True:
        try:
            async with asyncio.timeout(min(pause_s, deadline.left_s)):
                message = await request.receive()
        except TimeoutError:
            detail = f"the body came too slowly: {pause_s:g} s at most between its parts, {deadline.seconds:g} s in all"
            raise Problem(408, "too_slow", f"{detail}; send it again") from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > limit:
            raise too_large(limit)
        share.take(len(chunk))
        body += chunk
        if not message.get("more_body", False):
            return body
