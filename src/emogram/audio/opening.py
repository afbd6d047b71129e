"""Opening what a recording may come as: a path, bytes, a file object or an array, as one stream of decoded chunks."""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

from emogram.errors import AudioError, ConfigurationError

Wave: TypeAlias = NDArray[np.float32]
Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | NDArray[Any]

MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_CHANNELS = 32
MAX_BYTES = 512 * 2**20
"""The most that is taken from a file object, which has to be held in memory to be decoded."""

_BLOCK_SAMPLES = 2**16
"""Decoded at a time, all channels together: small enough to stay in cache, measured fastest from 2**15 to 2**17."""

_LEAST_SAMPLES = 2**10

_CONTAINERS = (
    *(b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"caff", b"fLaC", b"OggS"),
    *(b".snd", b"dns.", b"NIST", b"Crea", b"ID3"),
)
"""How the files begin that are passed to libsndfile, MPEG audio apart. The rest of what it reads, samplers and Matlab, is
no speech, and its parsers are little used: one of them even writes to standard output."""

_FOREIGN = (
    (4, b"ftyp", "MP4 or M4A (AAC)"),
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "WMA or WMV"),
    (0, b"#!AMR", "AMR"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
)
_READABLE = "WAV, AIFF, FLAC, Ogg or MP3"


@dataclass(frozen=True, slots=True)
class Stream:
    """An opened recording.

    Attributes:
        name: how messages call it.
        rate: in Hz.
        channels: how many.
        format: container and coding.
        chunks: float32 ``[n, channels]``, as they are decoded, each in memory of its own.
    """

    name: str
    rate: int
    channels: int
    format: str
    chunks: Iterator[NDArray[np.float32]]


def name_of(source: Source) -> str:
    """How messages call a source: its path on one line, or ``<bytes>``, ``<array>``, ``<stream>``."""
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in path) or "''"
    if isinstance(source, np.ndarray):
        return "<array>"
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    name = getattr(source, "name", None)
    return name_of(name) if isinstance(name, str) and name else "<stream>"


@contextlib.contextmanager
def open_stream(source: Source, array_rate: int) -> Iterator[Stream]:
    """Open a recording and check its kind, rate and channels.

    Raises:
        AudioError: on opening, and from `Stream.chunks` where it is damaged.
        ConfigurationError: `array_rate` is out of bounds.
    """
    name = name_of(source)
    if isinstance(source, np.ndarray):
        yield _open_array(name, source, array_rate)
    elif isinstance(source, str | os.PathLike):
        with _open_path(name, source) as file:
            yield from _open_file(name, file)
    elif isinstance(source, bytes | bytearray | memoryview):
        yield from _open_file(name, io.BytesIO(source))
    elif hasattr(source, "read"):
        yield from _open_file(name, _take_in(name, source))
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


def _take_in(name: str, file: BinaryIO) -> BinaryIO:
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


class _Tape:
    """A file as libsndfile's callbacks see it: they must not raise, so errors are kept until decoding is over."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error = ""

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self.error = error.strerror or str(error)
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with contextlib.suppress(OSError, ValueError):  # damaged files ask for places before the start
            self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is only read onwards: `soundfile` would seek after every read, which upsets decoders."""

    def seekable(self) -> bool:
        return False


def _open_file(name: str, file: BinaryIO) -> Iterator[Stream]:
    tape = _Tape(file)
    _check_kind(name, tape)
    try:
        # A descriptor is read faster than callbacks; outside POSIX libsndfile may have another C runtime and not know it.
        by_descriptor = isinstance(file, io.FileIO) and os.name == "posix"
        sound = _ForwardFile(file.fileno(), closefd=False) if by_descriptor else _ForwardFile(tape)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        problem = f"is no audio that can be read ({tape.error or _reason(error)})"
        raise AudioError(name, problem, f"convert it to {_READABLE}") from None
    with sound:
        if not MIN_RATE <= sound.samplerate <= MAX_RATE:
            problem = f"has a sample rate of {sound.samplerate} Hz, outside {MIN_RATE} to {MAX_RATE}"
            raise AudioError(name, problem, "check the file, or convert it")
        if sound.channels > MAX_CHANNELS:
            problem = f"has {sound.channels} channels, more than {MAX_CHANNELS}"
            raise AudioError(name, problem, "export the ones with speech")
        chunks = _decode(name, sound, tape)
        yield Stream(name, sound.samplerate, sound.channels, f"{sound.format} {sound.subtype}", chunks)


def _decode(name: str, sound: soundfile.SoundFile, tape: _Tape) -> Iterator[NDArray[np.float32]]:
    frames = 0
    problem = ""
    try:
        while len(chunk := sound.read(out=_buffer(sound, frames))):
            frames += len(chunk)
            yield chunk
    except soundfile.SoundFileError as error:
        problem = _reason(error)
    if tape.error or problem:
        problem = f"is damaged after {frames / sound.samplerate:.2f} s ({tape.error or problem})"
        raise AudioError(name, problem, "fetch or export it again")


def _buffer(sound: soundfile.SoundFile, frames: int) -> NDArray[np.float32]:
    """Room for what the header says is left, a little for finding the end, never more than a block."""
    size = min(max(sound.frames - frames, _LEAST_SAMPLES), _BLOCK_SAMPLES // sound.channels)
    return np.empty((size, sound.channels), np.float32)


def _reason(error: Exception) -> str:
    reason: str = getattr(error, "error_string", str(error))
    return " ".join(reason.removeprefix("Error : ").rstrip(". ").split())


def _check_kind(name: str, tape: _Tape) -> None:
    """Look at how a file begins, behind any ID3 tag, before a decoder does."""
    start = 0
    for _ in range(4):
        tape.seek(start)
        head = tape.read(32)
        if not head.startswith(b"ID3") or len(head) < 10:
            break
        high, middle, low, lowest = head[6:10]
        start += 10 + (high << 21 | middle << 14 | low << 7 | lowest)
    tape.seek(0)
    if tape.error:
        raise AudioError(name, f"cannot be read ({tape.error})", "check the disk")
    if not head and not start:
        raise AudioError(name, "is empty: it holds no bytes", "record or fetch it again")
    if head.startswith(b"version https://git-lfs"):
        raise AudioError(name, "is a Git LFS pointer, not the recording itself", "fetch it with: git lfs pull")
    for offset, magic, kind in _FOREIGN:
        if head.startswith(magic, offset):
            remedy = f"convert it to {_READABLE}, for example with: ffmpeg -i IN out.wav"
            raise AudioError(name, f"is {kind}, which libsndfile does not read", remedy)
    is_mpeg = len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0
    if not is_mpeg and not head.startswith(_CONTAINERS):
        raise AudioError(name, "is no audio that can be read", f"convert it to {_READABLE}")


def _open_array(name: str, samples: NDArray[Any], rate: int) -> Stream:
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
    return Stream(name, rate, channels, "array", _slices(table))


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
