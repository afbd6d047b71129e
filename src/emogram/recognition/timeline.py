"""A long recording as a timeline: when somebody speaks, and how."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emogram.audio import Wave
from emogram.errors import ConfigurationError
from emogram.recognition import timeline_formats
from emogram.recognition.checks import InputMeter, InputWarning
from emogram.recognition.model_file import ModelInfo
from emogram.recognition.results import named
from emogram.recognition.session import Session
from emogram.recognition.stream import check_lengths
from emogram.recognition.timeline_segments import Answers, Segment, cut
from emogram.recognition.windows import Grid

ENVELOPE_S = 0.05
_BATCH = 4
"""Windows that go through the graph together. Measured with `cnn-base`, one thread: 8.1 ms a window alone, 7.0 by fours,
7.4 by eights, 8.4 by sixteens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineSettings:
    """Lengths, in seconds; as `Recognizer.timeline` explains them."""

    window_s: float
    hop_s: float
    smoothing_s: float
    min_segment_s: float

    @classmethod
    def make(
        cls,
        info: ModelInfo,
        window_s: float | None,
        hop_s: float | None,
        smoothing_s: float | None,
        min_segment_s: float,
    ) -> "TimelineSettings":
        """The lengths, those not given taken from the model.

        Raises:
            ConfigurationError: one of them cannot be.
        """
        window_s, hop_s = check_lengths(info, window_s, hop_s, (info.clip_s if window_s is None else window_s) / 2)
        smoothing_s = 2 * hop_s if smoothing_s is None else smoothing_s
        for name, value in {"smoothing_s": smoothing_s, "min_segment_s": min_segment_s}.items():
            if not 0 <= value <= 3600:
                raise ConfigurationError(f"{name}: {value:g} is not between 0 and 3600 s")
        return cls(window_s=window_s, hop_s=hop_s, smoothing_s=smoothing_s, min_segment_s=min_segment_s)

    @property
    def block_s(self) -> float:
        """How much is decoded at a time."""
        return max(5.0, self.window_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A recording from its start to its end.

    Attributes:
        file: the recording, as it was given.
        duration_s: its length.
        model: name of the model.
        emotions: that the model knows, in its order.
        segments: stretches of speech in one emotion, in time, without overlap.
        warnings: what is wrong with the recording.
        settings: lengths of windows and smoothing.
        envelope: largest magnitude in each `ENVELOPE_S` of the recording, to draw it by.
    """

    file: str
    duration_s: float
    model: str
    emotions: tuple[str, ...]
    segments: tuple[Segment, ...]
    warnings: tuple[InputWarning, ...]
    settings: TimelineSettings
    envelope: tuple[float, ...]

    @property
    def speech_s(self) -> float:
        """Seconds in which somebody speaks."""
        return float(sum(segment.end_s - segment.start_s for segment in self.segments))

    @property
    def shares(self) -> dict[str, float]:
        """The part of the speech in each emotion; uncertain segments count as what they most probably are."""
        total = self.speech_s or 1.0
        return {
            emotion: sum(item.end_s - item.start_s for item in self.segments if item.emotion == emotion) / total
            for emotion in self.emotions
        }

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them, the envelope left out."""
        return {
            "file": self.file,
            "duration_s": self.duration_s,
            "speech_s": self.speech_s,
            "model": self.model,
            "window_s": self.settings.window_s,
            "hop_s": self.settings.hop_s,
            "segments": [segment.to_dict() for segment in self.segments],
            "shares": self.shares,
            "warnings": [warning.to_dict() for warning in self.warnings],
        }

    def to_json(self) -> str:
        """`to_dict` as text."""
        return timeline_formats.as_json(self)

    def to_csv(self) -> str:
        """A line a segment: file, start_s, end_s, emotion, confidence, uncertain, then the probabilities."""
        return timeline_formats.as_csv(self)

    def to_srt(self) -> str:
        """Subtitles in SubRip's format."""
        return timeline_formats.as_srt(self)

    def to_vtt(self) -> str:
        """Subtitles in the format of the web, WebVTT."""
        return timeline_formats.as_vtt(self)

    def to_audacity(self) -> str:
        """A label track of Audacity: File, Import, Labels."""
        return timeline_formats.as_audacity(self)

    def __str__(self) -> str:
        return timeline_formats.as_table(self)


def listen_through(
    name: str, blocks: Iterable[Wave], session: Session, info: ModelInfo, *, settings: TimelineSettings, workers: int
) -> Timeline:
    """The timeline of a wave that comes in blocks."""
    rate = info.sample_rate
    ear = _Ear(session, info, settings, workers=workers)
    try:
        for block in blocks:
            ear.feed(block)
        answers = ear.close()
    finally:
        ear.stop()
    findings = ear.meter.close()
    duration_s = ear.grid.samples / rate
    segments = cut(answers, findings.speech, duration_s, settings.smoothing_s, settings.min_segment_s)
    return Timeline(
        file=name,
        duration_s=duration_s,
        model=info.name,
        emotions=info.labels,
        segments=tuple(
            Segment(start_s, end_s, *named(info.labels, mean), float(mean.max()) < info.threshold)
            for start_s, end_s, mean in segments
        ),
        warnings=findings.warnings,
        settings=settings,
        envelope=tuple(ear.envelope),
    )


class _Ear:
    """Cuts windows, leaves out those without speech, and has the others recognised by threads, in order."""

    def __init__(self, session: Session, info: ModelInfo, settings: TimelineSettings, workers: int) -> None:
        self._rate = info.sample_rate
        hop = round(settings.hop_s * self._rate)
        self.grid = Grid(round(settings.window_s * self._rate), hop, round(info.min_s * self._rate))
        self.meter = InputMeter(self._rate)
        self.envelope: list[float] = []
        self._step = max(1, round(ENVELOPE_S * self._rate))
        self._rest = np.empty(0, np.float32)
        self._session, self._workers = session, workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="emogram")
        self._undecided: deque[tuple[int, Wave]] = deque()
        self._batch: list[tuple[int, Wave]] = []
        self._running: deque[tuple[list[tuple[int, int]], Future[NDArray[np.float32]]]] = deque()
        self._answers = Answers(hop / self._rate, len(info.labels))

    def feed(self, block: Wave) -> None:
        self._draw(block)
        self.meter.feed(block)
        self._undecided.extend(self.grid.feed(block))
        self._decide(self.meter.voice.frontier_s)

    def close(self) -> Answers:
        self._undecided.extend(self.grid.close())
        self.meter.voice.close()
        if len(self._rest):
            self.envelope.append(float(np.abs(self._rest).max()))
        self._decide(float("inf"))
        self._submit()
        while self._running:
            self._collect()
        return self._answers

    def stop(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _draw(self, block: Wave) -> None:
        wave = np.concatenate((self._rest, block))
        whole = len(wave) // self._step * self._step
        self.envelope += np.abs(wave[:whole]).reshape(-1, self._step).max(axis=1).tolist()
        self._rest = wave[whole:]

    def _decide(self, frontier_s: float) -> None:
        while self._undecided:
            start, wave = self._undecided[0]
            end_s = (start + len(wave)) / self._rate
            if end_s > frontier_s:
                return
            self._undecided.popleft()
            if not self.meter.voice.any_active(start / self._rate, end_s):
                continue
            if self._batch and len(self._batch[0][1]) != len(wave):
                self._submit()
            self._batch.append((start, wave))
            if len(self._batch) == _BATCH:
                self._submit()

    def _submit(self) -> None:
        if not self._batch:
            return
        places = [(start, start + len(wave)) for start, wave in self._batch]
        waves = np.stack([wave for _, wave in self._batch])
        self._batch = []
        self._running.append((places, self._pool.submit(self._session.probabilities, waves)))
        if len(self._running) > 2 * self._workers:
            self._collect()

    def _collect(self) -> None:
        places, future = self._running.popleft()
        for (start, end), probabilities in zip(places, future.result(), strict=True):
            self._answers.add(start / self._rate, end / self._rate, probabilities)
