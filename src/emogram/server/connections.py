"""Connections under limits that uvicorn does not have: time for a head, time to take an answer, and how many there are."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from emogram.server.problems import MEDIA_TYPE, Problem
from emogram.server.settings import Settings


class _Patience(asyncio.Protocol):
    """Ends a connection whose client does not take what it is sent."""

    patience_s = 10.0
    transport: asyncio.Transport
    _blocked: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._blocked = asyncio.get_running_loop().call_later(self.patience_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unblock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unblock()
        super().connection_lost(exc)

    def _unblock(self) -> None:
        if self._blocked is not None:
            self._blocked.cancel()
            self._blocked = None


class HttpConnection(_Patience, H11Protocol):
    """HTTP/1.1. A client that connects, or begins a head, and then says nothing more is not waited for."""

    max_connections = 1000
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client in, if there is room."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self.max_connections:
            headers = {"Retry-After": "2"}
            self._refuse(Problem(503, "too_many_connections", "too many connections; try again later", headers=headers))
        else:
            self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head, but not for ever."""
        super().data_received(data)
        upgraded = self.transport.get_protocol() is not self
        if upgraded or not (self.cycle is None or self.cycle.response_complete):
            self._stop_waiting()
        elif self._head is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """The answer to what is no HTTP."""
        self._refuse(Problem(400, "no_http", msg))

    def _refuse(self, problem: Problem) -> None:
        body = problem.to_json().encode()
        fields = {
            "content-type": MEDIA_TYPE,
            "content-length": str(len(body)),
            "connection": "close",
            **problem.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        status = f"{problem.status} {problem.to_dict()['title']}"
        self.transport.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        self.transport.close()

    def _wait_for_head(self) -> None:
        self._head = asyncio.get_running_loop().call_later(self.patience_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


class StreamConnection(_Patience, WebSocketsSansIOProtocol):
    """A WebSocket."""


def kinds(settings: Settings) -> tuple[type[HttpConnection], type[StreamConnection]]:
    """Both kinds of connection under these settings."""
    limits: dict[str, Any] = {"patience_s": settings.receive_s, "max_connections": settings.max_connections}
    return type("Http", (HttpConnection,), limits), type("Stream", (StreamConnection,), limits)
