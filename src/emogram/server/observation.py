"""The outermost layer: counts and logs every answer, adds headers that keep browsers safe, and hangs up politely."""

import asyncio
import contextlib
import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emogram.server.office import Office
from emogram.server.problems import closing

_log = logging.getLogger("emogram.server")

_UNANSWERED = 499

_LINGER_S = 1.0
"""How long the rest of a body is read, and thrown away, after a request was refused: a connection that is closed while its
client still sends would take the answer along."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
"""Of every answer that does not say otherwise itself."""


class Observation:
    """Watches requests pass.

    Args:
        app: behind it.
        office: whose metrics count.
    """

    def __init__(self, app: ASGIApp, office: Office) -> None:
        self._app = app
        self._office = office

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(scope, receive, send)
        started = time.perf_counter()
        try:
            await self._app(scope, passage.receive, passage.send)
        except asyncio.CancelledError:
            # The server stops and did not wait for this one any longer; its client is told, if it knows nothing yet.
            if passage.status != _UNANSWERED:
                raise
            await closing().response()(scope, receive, passage.send)
        finally:
            self._tell(scope, passage.status, time.perf_counter() - started)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        path = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST", "OPTIONS"} else "other"
        metrics = self._office.metrics
        metrics.requests.labels(method, path, str(status)).inc()
        metrics.seconds.labels(path).observe(seconds)
        client = scope.get("client") or ("-",)
        shown = scope["path"][:200].encode("unicode_escape").decode("ascii")  # a query may hold a name or a token
        _log.info("%s %s %s %d %.1f ms", client[0], scope["method"], shown, status, 1e3 * seconds)


class _Passage:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        self._receive, self._send = receive, send
        self._body_left = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._expects = "expect" in headers
        self.status = _UNANSWERED

    async def receive(self) -> Message:
        """The next message of the client, noticing the end of its body."""
        message = await self._receive()
        self._expects = False
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._body_left = False
        return message

    async def send(self, message: Message) -> None:
        """Send on, and at the end read what the client still sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._body_left:
                headers["connection"] = "close"
        elif self._body_left and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _linger(self) -> None:
        if self._expects:
            return  # it waits to be asked for its body, and was not
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while self._body_left:
                    await self.receive()
