"""A real server on a loopback port, in a thread of the test; and models that can be held up."""

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import soundfile

from emogram.audio import Wave
from emogram.recognition import ModelFile, Prediction, Recognizer, read_model
from emogram.server.office import Office
from emogram.server.running import Server, listen
from emogram.server.settings import Settings
from tests.recognition.made_up import RATE, spoken
from tests.recognition.small_models import content

WAIT_S = 10.0


def model() -> ModelFile:
    return read_model(content())


def clip(seconds: float = 1.2, *, level: float = 0.05, rate: int = RATE, form: str = "WAV") -> bytes:
    """The bytes of a file in which somebody speaks."""
    file = io.BytesIO()
    soundfile.write(file, spoken(speech_s=seconds, level=level), rate, format=form)
    return file.getvalue()


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    office: Office
    server: Server
    port: int
    client: httpx.Client

    def stop(self) -> None:
        self.server.should_exit = True

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), WAIT_S)

    def stream_url(self, query: str = "sample_rate=16000") -> str:
        return f"ws://127.0.0.1:{self.port}/v1/stream?{query}"

    def metric(self, line: str) -> float:
        """The value of a line of the metrics, 0 where there is none."""
        for one in self.client.get("/metrics").text.splitlines():
            if one.startswith(f"{line} "):
                return float(one.rpartition(" ")[2])
        return 0.0


@contextlib.contextmanager
def running(token: str = "", office: Office | None = None, **settings: Any) -> Iterator[Running]:
    """Start a server with these settings, and stop it at the end."""
    office = office or Office(model(), Settings(port=0, **settings), token)
    server = Server(office)
    listening = listen(office.settings)
    port = listening.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        wait_until(lambda: server.started)
        # The client gives an idle connection up before the server does, or both might do something with it at once.
        limits = httpx.Limits(keepalive_expiry=1.0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S, limits=limits) as client:
            yield Running(office, server, port, client)
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive()


def wait_until(condition: Any, seconds: float = WAIT_S) -> None:
    """Wait for a condition, and fail when it does not come."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)


class Held:
    """A recogniser that waits before it answers, until it is let go."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.info = recognizer.info
        self.emotions = recognizer.emotions
        self.stream = recognizer.stream
        self.begun = 0
        self._recognizer = recognizer
        self._go = threading.Event()

    def let_go(self) -> None:
        self._go.set()

    def predict(self, wave: Wave) -> Prediction:
        self.begun += 1
        assert self._go.wait(WAIT_S)
        return self._recognizer.predict(wave)


@contextlib.contextmanager
def held(one: Running) -> Iterator[Held]:
    """Have the server's recogniser wait, and let it go at the end."""
    honest = one.office.serving
    holding = Held(honest.recognizer)
    one.office.serving = replace(honest, recognizer=holding)  # type: ignore[arg-type]
    try:
        yield holding
    finally:
        holding.let_go()
        wait_until(lambda: one.office.desk.pending == 0)
        one.office.serving = honest
