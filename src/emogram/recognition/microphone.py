"""The microphone, through PortAudio by way of sounddevice: the extra ``[microphone]``."""

import queue
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emogram.errors import AudioError, MissingExtraError

BLOCK_S = 0.05
_MOST_WAITING = 200
"""Blocks that wait to be taken, 10 s; then the oldest sound has to go."""


_WITHOUT = "take a file instead (emogram listen --input FILE, emogram record --from FILE)"


class Microphone:
    """An input device, opened by ``with``, iterated for its blocks [T] as they are recorded.

    Args:
        device: number or part of the name of the device; the system's own choice where None.

    Attributes:
        sample_rate: in Hz, the device's own.
        dropped: blocks that were lost because nobody took them in time.

    Raises:
        MissingExtraError: sounddevice is not installed.
        AudioError: PortAudio is missing, or there is no such device.
    """

    def __init__(self, device: int | str | None = None) -> None:
        self._sound = _sounddevice()
        self.dropped = 0
        self._waiting: queue.Queue[NDArray[np.float32]] = queue.Queue(_MOST_WAITING)
        try:
            self.sample_rate = round(self._sound.query_devices(device, "input")["default_samplerate"])
            self._stream = self._sound.InputStream(
                samplerate=self.sample_rate,
                blocksize=round(BLOCK_S * self.sample_rate),
                device=device,
                channels=1,
                dtype="float32",
                callback=self._take,
            )
        except (self._sound.PortAudioError, ValueError) as error:
            raise _no_device(device, error) from None

    def __enter__(self) -> Self:
        try:
            self._stream.start()
        except self._sound.PortAudioError as error:
            raise _no_device(None, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        while True:
            try:
                yield self._waiting.get(timeout=2)
            except queue.Empty:
                raise AudioError("microphone", "gives no sound any more", "check that it is still connected") from None

    def _take(self, block: NDArray[np.float32], count: int, *_: object) -> None:
        if self._waiting.full():
            self.dropped += 1
            self._waiting.get_nowait()
        self._waiting.put_nowait(block[:count, 0].copy())


def _sounddevice() -> Any:
    try:
        import sounddevice  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("listening to a microphone", "microphone") from None
    except OSError:
        remedy = f"install it (Debian and Ubuntu: apt install libportaudio2), or {_WITHOUT}"
        raise AudioError("microphone", "needs the library PortAudio, which is not there", remedy) from None
    return sounddevice


def _no_device(device: int | str | None, error: Exception) -> AudioError:
    which = "no input device" if device is None else f"no input device {device!r}"
    reason = " ".join(str(error).split())[:120]
    remedy = f"connect one, name another with --device, or {_WITHOUT}"
    return AudioError("microphone", f"there is {which} that works ({reason})", remedy)
