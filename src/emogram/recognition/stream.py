"""Sound as it comes, in blocks of any size and rate, to what it says window by window."""

import numpy as np
import soxr
from numpy.typing import NDArray

from emogram.audio import MAX_RATE, MIN_RATE, Wave
from emogram.errors import AudioError, ConfigurationError
from emogram.recognition.checks import speech_share
from emogram.recognition.model_file import MAX_WINDOW_S, ModelInfo
from emogram.recognition.results import Moment, named
from emogram.recognition.session import Session
from emogram.recognition.windows import Grid

DEFAULT_HOP_S = 0.5


class Stream:
    """A recogniser's ear on one source. What it answers does not depend on how the blocks fall; memory stays the same.

    For one thread at a time; a `Recognizer` may have any number of streams.

    >>> stream = recognizer.stream(sample_rate=48_000)  # doctest: +SKIP
    >>> for moment in stream.feed(block):  # doctest: +SKIP
    ...     print(moment)

    Args:
        session: of the model.
        info: of the model.
        sample_rate: of the blocks, in Hz; the model's own where None.
        window_s: length of the windows; that of the clips the model was trained on where None.
        hop_s: from one window to the next; half a second, or the window where that is shorter, where None.

    Raises:
        ConfigurationError: a rate or length that cannot be.
    """

    def __init__(
        self,
        session: Session,
        info: ModelInfo,
        *,
        sample_rate: int | None = None,
        window_s: float | None = None,
        hop_s: float | None = None,
    ) -> None:
        self.sample_rate = info.sample_rate if sample_rate is None else sample_rate
        if not MIN_RATE <= self.sample_rate <= MAX_RATE:
            raise ConfigurationError(f"sample_rate: {sample_rate} is not between {MIN_RATE} and {MAX_RATE} Hz")
        self.window_s, self.hop_s = check_lengths(info, window_s, hop_s, DEFAULT_HOP_S)
        self._session, self._info = session, info
        rate = info.sample_rate
        self._grid = Grid(round(self.window_s * rate), round(self.hop_s * rate), round(info.min_s * rate))
        self._resampler = None
        if self.sample_rate != rate:
            self._resampler = soxr.ResampleStream(self.sample_rate, rate, 1, dtype="float32", quality="HQ")
        self._closed = False

    def feed(self, block: NDArray[np.floating] | NDArray[np.integer]) -> list[Moment]:
        """The windows that this block completes, usually none or one.

        Args:
            block: ``[T]`` or ``[T, channels]``, floats within ±1 or integers, which are scaled to it.

        Raises:
            AudioError: no such array, or samples that are no finite numbers.
            ModelError: the model fails on it.
        """
        if self._closed:
            raise ConfigurationError("stream: it is closed; make another one")
        wave = _mono(block)
        if self._resampler is not None:
            wave = self._resampler.resample_chunk(wave)
        return [self._moment(start, window) for start, window in self._grid.feed(wave)]

    def close(self) -> list[Moment]:
        """What is left at the end: a window that reaches back from there, unless the last one got there already."""
        if self._closed:
            return []
        self._closed = True
        windows = []
        if self._resampler is not None:
            windows = self._grid.feed(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        return [self._moment(start, window) for start, window in [*windows, *self._grid.close()]]

    def _moment(self, start: int, window: Wave) -> Moment:
        rate = self._info.sample_rate
        emotion, probabilities, confidence = named(
            self._info.labels, self._session.probabilities(window[np.newaxis])[0]
        )
        speech = speech_share(window, rate)
        return Moment(
            start_s=start / rate,
            end_s=min(start + len(window), self._grid.samples) / rate,
            emotion=emotion,
            probabilities=probabilities,
            confidence=confidence,
            speech=speech,
            uncertain=confidence < self._info.threshold or not speech,
        )


def check_lengths(
    info: ModelInfo, window_s: float | None, hop_s: float | None, default_hop_s: float
) -> tuple[float, float]:
    """Window and hop in seconds, those not given filled in.

    Raises:
        ConfigurationError: one of them cannot be.
    """
    # The clips it was trained on are what a model knows best; a window longer than it takes would be cut.
    window_s = min(max(info.clip_s, info.min_s), MAX_WINDOW_S) if window_s is None else window_s
    if not info.min_s <= window_s <= MAX_WINDOW_S:
        raise ConfigurationError(
            f"window_s: {window_s:g} is not between {info.min_s:g} and {MAX_WINDOW_S:g} s, what the model takes"
        )
    hop_s = min(default_hop_s, window_s) if hop_s is None else hop_s
    if not 0.01 <= hop_s <= window_s:
        raise ConfigurationError(f"hop_s: {hop_s:g} is not between 0.01 s and the window, {window_s:g} s")
    return window_s, hop_s


def _mono(block: NDArray[np.floating] | NDArray[np.integer]) -> Wave:
    if not isinstance(block, np.ndarray) or block.ndim not in (1, 2) or block.dtype.kind not in "fi":
        raise AudioError("<stream>", "was fed something else than sound", "feed arrays [T] or [T, channels] of numbers")
    scale = 1.0 if block.dtype.kind == "f" else 2.0 ** (1 - 8 * block.dtype.itemsize)
    table = block if block.ndim == 1 else block.mean(axis=1)
    wave = (table * scale).astype(np.float32)
    if not np.isfinite(wave).all():
        raise AudioError("<stream>", "holds samples that are no finite numbers", "check what records it")
    return wave
