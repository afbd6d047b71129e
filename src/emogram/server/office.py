"""What all requests share: the model, the settings, the threads, the memory, the counts."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import HTTPConnection

from emogram.emotions import ordered
from emogram.errors import AudioError
from emogram.recognition import ModelFile, Recognizer, Timeline, read_model
from emogram.server.bodies import Memory
from emogram.server.listening import Answer
from emogram.server.metrics import Metrics
from emogram.server.sessions import Sessions
from emogram.server.settings import Settings
from emogram.server.work import Desk


@dataclass(frozen=True, slots=True)
class Adapted:
    """A model that was adapted to clips.

    Attributes:
        content: of its file.
        facts: what that is worth, as `schemas.AdaptationForm` has it.
    """

    content: bytes
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers now. It is swapped as a whole, so whoever takes it once has what belongs together.

    Attributes:
        model: that recognises.
        recognizer: made of it.
        adapted: what made it another than the original, or None.
    """

    model: ModelFile
    recognizer: Recognizer
    adapted: Adapted | None = None


Adapt = Callable[[Path, bytes, Callable[..., None]], Adapted]
"""Adapts the model of a content to the recordings of a folder; calls the last argument after each clip, which may raise."""


class Office:
    """One server's state.

    Args:
        model: that recognises.
        settings: of the server.
        token: that requests must carry, empty for none.
        adapt: adapts the model; None where no client may ask for it.

    Attributes:
        original: the model that the server was started with.
        serving: what answers now.
        adapting: held while the model is being adapted.
    """

    def __init__(self, model: ModelFile, settings: Settings, token: str = "", adapt: Adapt | None = None) -> None:
        self.original = model
        self._as_it_was = self.serving = Serving(model, Recognizer(model))
        self.adapt = adapt
        self.adapting = threading.Lock()
        self.settings = settings
        self.token = token
        self.desk = Desk(settings.threads, settings.queue)
        self.memory = Memory(settings.max_memory_bytes)
        self.sessions = Sessions(settings.max_sessions)
        self.metrics = Metrics(model.info.name)
        self.metrics.watch("emogram_queue_depth", "Recordings waiting for a thread.", lambda: self.desk.waiting)
        self.metrics.watch("emogram_recordings_pending", "Recordings waiting or worked on.", lambda: self.desk.pending)
        self.metrics.watch("emogram_body_bytes", "Bodies held in memory.", lambda: self.memory.held)
        self.metrics.watch("emogram_stream_sessions", "Streams that are open.", lambda: self.sessions.count)
        self.leaving = False
        self._warm = False

    async def open(self) -> None:
        """Run the model once: the first time takes longer."""
        recognizer = self.serving.recognizer
        info = recognizer.info
        window = np.zeros(round(max(info.min_s, info.clip_s) * info.sample_rate), np.float32)
        await asyncio.to_thread(recognizer.probabilities, window)
        self._warm = True

    async def close(self) -> None:
        """Let the threads finish."""
        await asyncio.to_thread(self.desk.close)
        await asyncio.to_thread(self.sessions.close)

    def serve_adapted(self, adapted: Adapted) -> None:
        """Answer with an adapted model from now on; what is being answered is finished with the one before."""
        model = read_model(adapted.content)
        self.serving = Serving(model, Recognizer(model), adapted)

    def serve_original(self) -> None:
        """Answer with the model that the server was started with."""
        self.serving = self._as_it_was

    def intended(self, serving: Serving) -> tuple[str, ...]:
        """Emotions to choose from in the real-life test: an adapted model may know fewer than can be learnt."""
        return ordered([*self.original.info.labels, *serving.model.info.labels])

    @property
    def unready(self) -> str:
        """Why no request should be sent here now, empty if there is no reason."""
        if not self._warm:
            return "the model is being loaded"
        if self.leaving:
            return "the server is shutting down"
        return "the queue is full" if self.desk.pending >= self.desk.capacity else ""

    def count(self, answers: Sequence[Answer | Timeline | AudioError], source: str) -> None:
        """Count recordings and the sound in them."""
        for answer in answers:
            self.metrics.recordings.labels("failed" if isinstance(answer, AudioError) else "answered").inc()
            if not isinstance(answer, AudioError):
                heard = answer.prediction if isinstance(answer, Answer) else answer
                self.metrics.audio_seconds.labels(source).inc(heard.duration_s)


def office_of(connection: HTTPConnection) -> Office:
    """The office that a request or stream came to."""
    office: Office = connection.app.state.office
    return office
