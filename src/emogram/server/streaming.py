"""Sound as it comes over a WebSocket, to an answer a window.

Binary messages hold 16-bit little-endian mono PCM, cut anywhere. Each completed window is answered by a text message, the
`Moment` as JSON. ``{"end": true}`` has what is left answered, then ``{"done": true}``, and the stream is closed. What goes
wrong is told as a problem, then the stream is closed with 1008 (wrong use), 1009 (too large) or 1013 (try again later).
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping

import numpy as np
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from emogram.errors import AudioError, ConfigurationError, EmogramError
from emogram.recognition import Moment, Stream
from emogram.server.guard import SUBPROTOCOL, is_allowed
from emogram.server.office import Office, office_of
from emogram.server.problems import Problem, closing

WRONG_USE, TOO_LARGE, TRY_LATER = 1008, 1009, 1013

_FEED_S = 1.0
"""Sound that is worked on at a time: a message can hold minutes, and other streams want their turn."""

_PARAMETERS = {"sample_rate", "hop_s", "window_s", "token"}

router = APIRouter()


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket) -> None:
    """Answer a stream until its end."""
    office = office_of(websocket)
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None)
    try:
        if not is_allowed(websocket, office.token):
            raise Problem(
                401, "no_token", "the bearer token is missing or wrong; send it as a header, subprotocol or token="
            )
        with office.sessions.enter():
            await _Session(websocket, office).run()
    except Problem as problem:
        await _end(websocket, problem)
    except (AudioError, ConfigurationError) as error:
        await _end(websocket, Problem(422, "unusable", str(error)))
    except EmogramError as error:
        await _end(websocket, Problem(500, "model_failed", str(error)))
    except WebSocketDisconnect:
        pass  # nobody is there any more


async def _end(websocket: WebSocket, problem: Problem) -> None:
    code = {413: TOO_LARGE, 503: TRY_LATER}.get(problem.status, WRONG_USE)
    if websocket.application_state is WebSocketState.CONNECTED and websocket.client_state is WebSocketState.CONNECTED:
        try:
            await websocket.send_text(problem.to_json())
            await websocket.close(code, problem.code)
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left while it was told


class _Session:
    """One stream from its first message to its last."""

    def __init__(self, websocket: WebSocket, office: Office) -> None:
        self._websocket, self._office = websocket, office
        self._settings = office.settings
        self._stream = _open(office, websocket.query_params)
        self._odd = b""
        self._samples = 0
        self._heard = time.monotonic()
        # Sound as it is spoken takes as long as it lasts, and what comes in drops must not hold a place for days.
        self._end = self._heard + self._settings.session_s + self._settings.idle_s

    async def run(self) -> None:
        """Take messages until the client says the end, leaves, or does what it must not."""
        while (message := await self._message()) is not None:
            await self._hear(message)
        await self._send(self._stream.close)
        await self._tell({"done": True})
        await self._websocket.close()

    async def _message(self) -> bytes | None:
        """The next sound, None at the end."""
        left_s = min(self._heard + self._settings.idle_s, self._end) - time.monotonic()
        if left_s <= 0:
            raise self._overdue()
        receiving = asyncio.ensure_future(self._websocket.receive())
        ending = asyncio.ensure_future(self._office.sessions.closing.wait())
        try:
            await asyncio.wait((receiving, ending), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                return self._read(receiving.result())
            if ending.done():
                await self._send(self._stream.close)
                raise closing()
            raise self._overdue()
        finally:
            receiving.cancel()
            ending.cancel()

    def _overdue(self) -> Problem:
        idle_s = self._settings.idle_s
        if self._heard + idle_s < self._end:
            return Problem(408, "idle", f"no sound for {idle_s:g} s; connect again when there is some")
        lasted_s = self._settings.session_s + idle_s
        return Problem(413, "too_long", f"this stream has lasted {lasted_s:g} s; open another one")

    def _read(self, message: Mapping[str, object]) -> bytes | None:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        data, text = message.get("bytes"), message.get("text")
        limit = self._settings.max_message_bytes
        if len(data if isinstance(data, bytes) else str(text)) > limit:
            raise Problem(413, "too_large", f"a message of more than {limit // 1024} KiB; send shorter ones")
        if isinstance(data, bytes):
            return data
        try:
            ended = json.loads(str(text)) == {"end": True}
        except (ValueError, RecursionError):
            ended = False
        if ended:
            return None
        raise Problem(422, "malformed", 'a text message that is not {"end": true}; send sound as binary messages')

    async def _hear(self, message: bytes) -> None:
        data = self._odd + message
        whole = len(data) // 2 * 2
        self._odd = data[whole:]
        samples = np.frombuffer(data[:whole], "<i2")
        rate = self._stream.sample_rate
        self._samples += len(samples)
        if self._samples > self._settings.session_s * rate:
            problem = f"more than {self._settings.session_s:g} s of sound in one stream; open another one"
            raise Problem(413, "too_long", problem)
        self._office.metrics.audio_seconds.labels("stream").inc(len(samples) / rate)
        step = max(1, round(_FEED_S * rate))
        for start in range(0, len(samples), step):
            part = samples[start : start + step]
            await self._send(lambda part=part: self._stream.feed(part))  # type: ignore[misc]
        if len(samples):
            self._heard = time.monotonic()

    async def _send(self, work: Callable[[], list[Moment]]) -> None:
        for moment in await self._office.sessions.run(work):
            self._office.metrics.moments.inc()
            await self._tell(moment.to_dict())

    async def _tell(self, value: Mapping[str, object]) -> None:
        await self._websocket.send_text(json.dumps(value))


def _open(office: Office, query: Mapping[str, str]) -> Stream:
    for name in query:
        if name not in _PARAMETERS:
            raise Problem(422, "unusable", f"{name[:40]}: no such parameter; there are sample_rate, hop_s and window_s")
    sample_rate = _number(query, "sample_rate")
    hop_s = _number(query, "hop_s")
    least = office.settings.min_hop_s
    if hop_s is not None and hop_s < least:
        raise Problem(422, "unusable", f"hop_s: {hop_s:g} is less than {least:g} s, the least here")
    if sample_rate is not None and sample_rate != int(sample_rate):
        raise Problem(422, "unusable", f"sample_rate: {sample_rate:g} is no whole number of Hz")
    opened = office.serving.recognizer.stream(
        sample_rate=16_000 if sample_rate is None else int(sample_rate),
        hop_s=hop_s,
        window_s=_number(query, "window_s"),
    )
    if opened.hop_s < least:
        raise Problem(422, "unusable", f"hop_s: the model's {opened.hop_s:g} is less than {least:g} s; name another")
    return opened


def _number(query: Mapping[str, str], name: str) -> float | None:
    if name not in query:
        return None
    try:
        value = float(query[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Problem(422, "unusable", f"{name}: {query[name][:40]!r} is no number")
    return value
