"""Any recording to samples: one mono float32 wave at one rate, under limits that hold while decoding.

Everything that reads audio in emogram passes through here. Files are decoded with libsndfile and resampled with soxr at
its HQ quality. What a header says about length is never believed: samples are counted as they are decoded, and decoding
stops at the limit.
"""

import contextlib
import io
import math
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from emogram.errors import AudioError, ConfigurationError

Wave: TypeAlias = NDArray[np.float32]
Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | NDArray[Any]

SAMPLE_RATE = 16_000
"""The rate in Hz at which every network here listens."""

MAX_DURATION_S = 600.0
"""The longest recording that `load` keeps in memory, unless told otherwise."""

MAX_STREAM_S = 24 * 3600.0
"""The longest recording that `blocks` walks through, unless told otherwise."""

MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_CHANNELS = 32
MAX_BYTES = 512 * 2**20
"""The most that is taken from a file object, which has to be held in memory to be decoded."""

SILENCE_PEAK = 1e-4
"""A recording whose peak stays below this (-80 dB of full scale) is silent."""

CLIPPING_PEAK = 0.9999
_ABSURD_PEAK = 2.0**31
_BLOCK_SAMPLES = 2**20

_FOREIGN = (
    (4, b"ftyp", "MP4 or M4A (AAC)"),
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "WMA or WMV"),
    (0, b"#!AMR", "AMR"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
)


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
    with _open(source, sample_rate if array_rate is None else array_rate) as stream:
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
    with _open(source, SAMPLE_RATE if array_rate is None else array_rate) as stream:
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
    size = round(block_s * sample_rate)
    if size < 1:
        raise ConfigurationError(f"block_s: {block_s} is no length; give seconds above 0")
    with _open(source, sample_rate if array_rate is None else array_rate) as stream:
        tally = _Tally(stream, max_duration_s, allow_silent=allow_silent)
        rest = np.empty(0, np.float32)
        for piece in _resample(tally.mono(), stream.rate, sample_rate):
            rest = np.concatenate((rest, piece))
            whole = len(rest) // size * size
            for start in range(0, whole, size):
                yield rest[start : start + size]
            rest = rest[whole:].copy()
        if rest.size:
            yield rest


def name_of(source: Source) -> str:
    """How messages call a source: its path on one line, or ``<bytes>``, ``<array>``, ``<stream>``."""
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in path) or "''"
    if isinstance(source, np.ndarray):
        return "<array>"
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    name = getattr(source, "name", None)
    return name_of(name) if isinstance(name, str) and name else "<stream>"


@dataclass(frozen=True, slots=True)
class _Stream:
    """An opened recording: `chunks` are float32 ``[n, channels]``, each overwritten by the next."""

    name: str
    rate: int
    channels: int
    format: str
    chunks: Iterator[NDArray[np.float32]]


class _Tally:
    """Mixes a stream to mono under the limits, and counts what passes."""

    def __init__(self, stream: _Stream, max_duration_s: float, *, allow_silent: bool) -> None:
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
                raise AudioError(stream.name, problem, "cut it into parts, or raise max_duration_s")
            wave = chunk[:, 0].copy()
            for channel in range(1, stream.channels):
                wave += chunk[:, channel]
            if stream.channels > 1:
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


@contextlib.contextmanager
def _open(source: Source, array_rate: int) -> Iterator[_Stream]:
    name = name_of(source)
    if isinstance(source, np.ndarray):
        yield _open_array(name, source, array_rate)
    elif isinstance(source, str | os.PathLike):
        with _open_path(name, source) as file:
            yield from _open_file(name, file)
    elif isinstance(source, bytes | bytearray | memoryview):
        yield from _open_file(name, io.BytesIO(source))
    elif hasattr(source, "read"):
        yield from _open_file(name, _buffer(name, source))
    else:
        kind = type(source).__name__
        raise AudioError(f"<{kind}>", "is no recording", "pass a path, bytes, a binary file object or a numpy array")


def _open_path(name: str, path: str | os.PathLike[str]) -> BinaryIO:
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(name, "is a folder, not a recording", "pass a file")
        if not stat.S_ISREG(mode):
            raise AudioError(name, "is no regular file", "read it and pass its bytes, or pipe it to standard input")
        return Path(path).open("rb", buffering=0)
    except FileNotFoundError:
        raise AudioError(name, "does not exist", "check the path") from None
    except PermissionError:
        raise AudioError(name, "may not be read", "check its permissions") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(name, f"cannot be opened ({reason})", "check the path") from None


def _buffer(name: str, file: BinaryIO) -> BinaryIO:
    """The bytes of a file object, in memory, since libsndfile has to seek and calls back into it while it decodes."""
    buffer = io.BytesIO()
    try:
        if file.seekable():
            file.seek(0)
        while part := file.read(2**20):
            buffer.write(part)
            if buffer.tell() > MAX_BYTES:
                raise AudioError(
                    name, f"holds more than {MAX_BYTES // 2**20} MiB", "save it to a file and pass its path"
                )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise AudioError(name, f"cannot be read ({error})", "pass a binary file object that is open") from None
    buffer.seek(0)
    return buffer


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is only read onwards: `soundfile` would seek after every read, which upsets decoders."""

    def seekable(self) -> bool:
        return False


def _open_file(name: str, file: BinaryIO) -> Iterator[_Stream]:
    _refuse_foreign(name, file)
    try:
        sound = _ForwardFile(file)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        reason = getattr(error, "error_string", str(error)).rstrip(". ")
        raise AudioError(
            name, f"is no audio that can be read ({reason})", "convert it to WAV, FLAC, Ogg or MP3"
        ) from None
    with sound:
        if not MIN_RATE <= sound.samplerate <= MAX_RATE:
            problem = f"has a sample rate of {sound.samplerate} Hz, outside {MIN_RATE} to {MAX_RATE}"
            raise AudioError(name, problem, "check the file, or convert it")
        if sound.channels > MAX_CHANNELS:
            problem = f"has {sound.channels} channels, more than {MAX_CHANNELS}"
            raise AudioError(name, problem, "export the ones with speech")
        chunks = _decode(name, sound)
        yield _Stream(name, sound.samplerate, sound.channels, f"{sound.format} {sound.subtype}", chunks)


def _decode(name: str, sound: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    size = max(1, min(sound.frames, _BLOCK_SAMPLES // sound.channels))
    buffer = np.empty((size, sound.channels), np.float32)
    frames = 0
    try:
        while len(chunk := sound.read(out=buffer)):
            frames += len(chunk)
            yield chunk
    except (soundfile.SoundFileError, OSError) as error:
        reason = getattr(error, "error_string", str(error)).rstrip(". ")
        problem = f"is damaged after {frames / sound.samplerate:.2f} s ({reason})"
        raise AudioError(name, problem, "fetch or export it again") from None


def _refuse_foreign(name: str, file: BinaryIO) -> None:
    try:
        head = file.read(64)
        file.seek(0)
    except OSError as error:
        raise AudioError(name, f"cannot be read ({error.strerror})", "check the disk") from None
    if not head:
        raise AudioError(name, "is empty: it holds no bytes", "record or fetch it again")
    if head.startswith(b"version https://git-lfs"):
        raise AudioError(name, "is a Git LFS pointer, not the recording itself", "fetch it with: git lfs pull")
    for offset, magic, kind in _FOREIGN:
        if head.startswith(magic, offset):
            problem = f"is {kind}, which libsndfile does not read"
            raise AudioError(name, problem, "convert it, for example with: ffmpeg -i IN out.wav")


def _open_array(name: str, samples: NDArray[Any], rate: int) -> _Stream:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ConfigurationError(f"array_rate: {rate} is not between {MIN_RATE} and {MAX_RATE} Hz")
    if samples.ndim not in (1, 2):
        raise AudioError(name, f"has {samples.ndim} dimensions", "pass [samples] or [samples, channels]")
    table = samples[:, np.newaxis] if samples.ndim == 1 else samples
    channels = table.shape[1]
    if not 1 <= channels <= MAX_CHANNELS:
        problem = f"has {channels} channels, not 1 to {MAX_CHANNELS}"
        raise AudioError(name, problem, "pass [samples, channels], samples first")
    if samples.dtype.kind not in "fiu":
        raise AudioError(name, f"holds {samples.dtype}, not numbers of sound", "pass floats within ±1, or integers")
    return _Stream(name, rate, channels, "array", _slices(table))


def _slices(table: NDArray[Any]) -> Iterator[NDArray[np.float32]]:
    size = _BLOCK_SAMPLES // table.shape[1]
    for start in range(0, len(table), size):
        part = table[start : start + size]
        if part.dtype.kind == "f":
            with np.errstate(over="ignore"):
                yield part.astype(np.float32)
        else:
            bits = 8 * part.dtype.itemsize
            offset = 2.0 ** (bits - 1) if part.dtype.kind == "u" else 0.0
            yield ((part.astype(np.float64) - offset) / 2.0 ** (bits - 1)).astype(np.float32)
