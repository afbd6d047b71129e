"""Any recording to samples: one mono float32 wave at one rate, under limits that hold while decoding.

Everything that reads audio in emogram passes through here. Files are decoded with libsndfile and resampled with soxr at
its HQ quality. What a header says about length is never believed: samples are counted as they are decoded, and decoding
stops at the limit.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from emogram.audio.opening import MAX_RATE, MIN_RATE, Source, Stream, Wave, name_of, open_stream
from emogram.errors import AudioError, ConfigurationError, TooLongError

__all__ = [
    "MAX_DURATION_S",
    "MAX_RATE",
    "MAX_STREAM_S",
    "MIN_RATE",
    "SAMPLE_RATE",
    "SILENCE_PEAK",
    "Facts",
    "Source",
    "Wave",
    "blocks",
    "load",
    "name_of",
    "probe",
    "read",
]

SAMPLE_RATE = 16_000
"""The rate in Hz at which every network here listens."""

MAX_DURATION_S = 600.0
"""The longest recording that `load` keeps in memory, unless told otherwise."""

MAX_STREAM_S = 24 * 3600.0
"""The longest recording that `blocks` walks through, unless told otherwise."""

SILENCE_PEAK = 1e-4
"""A recording whose peak stays below this (-80 dB of full scale) is silent."""

CLIPPING_PEAK = 0.9999
_ABSURD_PEAK = 2.0**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a recording is, learnt by decoding all of it.

    Attributes:
        duration_s: decoded length in seconds.
        rate: its own sample rate in Hz.
        channels: how many it has.
        format: container and coding, ``WAV PCM_16``, or ``array``.
        peak: the largest magnitude of any sample of any channel, 1.0 at full scale.
        clipped: the part of all samples that lies at full scale, 0 to 1.
        silent: whether nothing is left above -80 dB of full scale once the channels are averaged.
    """

    duration_s: float
    rate: int
    channels: int
    format: str
    peak: float
    clipped: float
    silent: bool


def load(
    source: Source,
    sample_rate: int = SAMPLE_RATE,
    *,
    array_rate: int | None = None,
    max_duration_s: float = MAX_DURATION_S,
    allow_silent: bool = False,
) -> Wave:
    """Decode a recording to one mono wave.

    Args:
        source: a path, the bytes of a file, a binary file object (read from its start or, where it cannot seek, from
            where it stands, and left open) or an array ``[T]`` or ``[T, channels]``. Integer arrays are scaled to ±1.
        sample_rate: the rate in Hz wanted.
        array_rate: the rate of an array, `sample_rate` where not given. Only for arrays.
        max_duration_s: longer recordings are refused; memory stays within this length at `sample_rate`.
        allow_silent: return a silent recording instead of refusing it.

    Returns:
        wave ``[T]``, float32, the mean of all channels, resampled with soxr HQ.

    Raises:
        AudioError: the recording is missing, no audio, damaged, empty, silent, too long, or holds samples that are no
            finite numbers. Says which, and what to do.
        ConfigurationError: an argument that cannot be.
    """
    return read(source, sample_rate, array_rate=array_rate, max_duration_s=max_duration_s, allow_silent=allow_silent)[0]


def read(
    source: Source,
    sample_rate: int = SAMPLE_RATE,
    *,
    array_rate: int | None = None,
    max_duration_s: float = MAX_DURATION_S,
    allow_silent: bool = False,
) -> tuple[Wave, Facts]:
    """As `load`, and what the recording is, from the same decoding."""
    _check_arguments(source, sample_rate, array_rate, max_duration_s)
    with open_stream(source, sample_rate if array_rate is None else array_rate) as stream:
        tally = _Tally(stream, max_duration_s, allow_silent=allow_silent)
        pieces = list(_resample(tally.mono(), stream.rate, sample_rate))
        wave = pieces[0] if len(pieces) == 1 else np.concatenate(pieces) if pieces else np.empty(0, np.float32)
        if not wave.size:
            raise AudioError(stream.name, "is too short to hold a sample", "record it again")
        return wave, tally.facts()


def probe(source: Source, *, array_rate: int | None = None, max_duration_s: float = MAX_STREAM_S) -> Facts:
    """Decode a recording in constant memory and say what it is. Silence is reported, not refused.

    Raises:
        AudioError: as `load`, except for silence.
    """
    _check_arguments(source, SAMPLE_RATE, array_rate, max_duration_s)
    with open_stream(source, SAMPLE_RATE if array_rate is None else array_rate) as stream:
        tally = _Tally(stream, max_duration_s, allow_silent=True)
        for _ in tally.mono():
            pass
        return tally.facts()


def blocks(
    source: Source,
    sample_rate: int = SAMPLE_RATE,
    *,
    block_s: float = 30.0,
    array_rate: int | None = None,
    max_duration_s: float = MAX_STREAM_S,
    allow_silent: bool = False,
) -> Iterator[Wave]:
    """Decode a recording of any length in constant memory.

    Joined together the blocks are what `load` returns.

    Yields:
        waves of `block_s` seconds each, the last one shorter.

    Raises:
        AudioError: as `load`. Damage and silence are known only when decoding gets there, after blocks were yielded.
    """
    _check_arguments(source, sample_rate, array_rate, max_duration_s)
    if not 0 < block_s < math.inf:
        raise ConfigurationError(f"block_s: {block_s} is no length; give seconds above 0")
    size = max(1, round(block_s * sample_rate))
    with open_stream(source, sample_rate if array_rate is None else array_rate) as stream:
        tally = _Tally(stream, max_duration_s, allow_silent=allow_silent)
        yield from _regroup(_resample(tally.mono(), stream.rate, sample_rate), size)


def _regroup(waves: Iterable[Wave], size: int) -> Iterator[Wave]:
    """The same samples in waves of `size`, the last one shorter."""
    kept: list[Wave] = []
    count = 0
    for wave in waves:
        kept.append(wave)
        count += len(wave)
        if count >= size:
            joined = np.concatenate(kept)
            whole = count // size * size
            yield from np.split(joined[:whole], count // size)
            kept = [joined[whole:]]
            count -= whole
    if count:
        yield np.concatenate(kept)


class _Tally:
    """Mixes a stream to mono under the limits, and counts what passes."""

    def __init__(self, stream: Stream, max_duration_s: float, *, allow_silent: bool) -> None:
        self._stream = stream
        self._max_duration_s = max_duration_s
        self._allow_silent = allow_silent
        self._frames = 0
        self._peak = 0.0
        self._mono_peak = 0.0
        self._clipped = 0

    def mono(self) -> Iterator[Wave]:
        """Waves at the stream's own rate.

        Raises:
            AudioError: too long, not finite, and at the end empty or silent.
        """
        stream, limit = self._stream, self._max_duration_s * self._stream.rate
        for chunk in stream.chunks:
            self._check_values(chunk)
            self._frames += len(chunk)
            if self._frames > limit:
                problem = f"is longer than the {self._max_duration_s:g} s allowed"
                raise TooLongError(stream.name, problem, "cut it into parts, or raise max_duration_s")
            wave = chunk[:, 0]
            if stream.channels > 1:
                wave = wave.copy()
                for channel in range(1, stream.channels):
                    wave += chunk[:, channel]
                wave *= np.float32(1 / stream.channels)
            self._mono_peak = max(self._mono_peak, _peak(wave))
            yield wave
        if not self._frames:
            raise AudioError(stream.name, "is empty: it holds no samples", "record or export it again")
        if self._mono_peak < SILENCE_PEAK and not self._allow_silent:
            self._refuse_silence()

    def _check_values(self, chunk: NDArray[np.float32]) -> None:
        peak = _peak(chunk)
        if not peak <= _ABSURD_PEAK:
            wrong = np.flatnonzero(~(np.abs(chunk).max(axis=1) <= _ABSURD_PEAK))[0] + self._frames
            problem = f"holds samples that are no finite numbers, the first at {wrong / self._stream.rate:.3f} s"
            raise AudioError(self._stream.name, problem, "export it again, as 16-bit WAV or FLAC")
        if peak >= CLIPPING_PEAK:
            self._clipped += int(np.count_nonzero(np.abs(chunk) >= CLIPPING_PEAK))
        self._peak = max(self._peak, peak)

    def _refuse_silence(self) -> None:
        name = self._stream.name
        if self._peak < SILENCE_PEAK:
            problem = f"is silent: no sample above {20 * math.log10(SILENCE_PEAK):.0f} dB of full scale"
            raise AudioError(name, problem, "check the microphone and its level")
        raise AudioError(name, "is silent once its channels are averaged: they cancel", "pass one channel alone")

    def facts(self) -> Facts:
        """What has been counted, once `mono` is at its end."""
        return Facts(
            duration_s=self._frames / self._stream.rate,
            rate=self._stream.rate,
            channels=self._stream.channels,
            format=self._stream.format,
            peak=self._peak,
            clipped=self._clipped / (self._frames * self._stream.channels),
            silent=self._mono_peak < SILENCE_PEAK,
        )


def _peak(samples: NDArray[np.float32]) -> float:
    return float(max(samples.max(), -samples.min())) if samples.size else 0.0


def _resample(waves: Iterable[Wave], rate: int, sample_rate: int) -> Iterator[Wave]:
    if rate == sample_rate:
        yield from waves
        return
    stream = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32", quality="HQ")
    for wave in waves:
        yield stream.resample_chunk(wave)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


def _check_arguments(source: object, sample_rate: int, array_rate: int | None, max_duration_s: float) -> None:
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise ConfigurationError(f"sample_rate: {sample_rate} is not between {MIN_RATE} and {MAX_RATE} Hz")
    if array_rate is not None and not isinstance(source, np.ndarray):
        raise ConfigurationError("array_rate: only an array needs it; a file states its own rate")
    if not 0 < max_duration_s < math.inf:
        raise ConfigurationError(f"max_duration_s: {max_duration_s} is no length; give seconds above 0")
