"""Recordings in folders, noises and impulse responses, decoded when first asked for and kept in bounded memory."""

from collections import OrderedDict
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emogram import audio
from emogram.corpora.files import audio_files
from emogram.errors import ConfigurationError, CorpusError

Wave = npt.NDArray[np.float32]

_MAX_BYTES = 256 * 2**20


class Recordings:
    """Waves of the audio files under any folder.

    Args:
        sample_rate: Hz.
        max_bytes: of decoded samples kept in memory; the least recently used go first.
    """

    def __init__(self, sample_rate: int, *, max_bytes: int = _MAX_BYTES) -> None:
        self.sample_rate = sample_rate
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self._names: dict[Path, tuple[str, ...]] = {}
        self._waves: OrderedDict[Path, Wave] = OrderedDict()

    def names(self, folder: Path, pattern: str = "*") -> tuple[str, ...]:
        """The audio files under a folder whose own names match a pattern, as paths within it, in the same order on every machine.

        Raises:
            ConfigurationError: there is no such folder, no audio in it, or none of that name.
        """
        if folder not in self._names:
            try:
                files = audio_files(folder)
            except CorpusError as error:
                raise ConfigurationError(f"augmentation: folder: {error}") from error
            if not files:
                raise ConfigurationError(
                    f"augmentation: folder: {folder}: holds no audio; give the folder that holds the recordings"
                )
            self._names[folder] = tuple(path.relative_to(folder.absolute()).as_posix() for path in files)
        matching = tuple(name for name in self._names[folder] if fnmatch(Path(name).name, pattern))
        if not matching:
            raise ConfigurationError(f"recordings={pattern}: {folder} holds none of that name; choose others")
        return matching

    def wave(self, folder: Path, name: str) -> Wave:
        """Wave [T] of a file under a folder, read-only.

        Raises:
            AudioError: it cannot be decoded.
        """
        path = folder / name
        if path not in self._waves:
            wave = audio.load(path, self.sample_rate, allow_silent=True)
            wave.flags.writeable = False
            self._waves[path] = wave
            self.held_bytes += wave.nbytes
            while self.held_bytes > self.max_bytes and len(self._waves) > 1:
                self.held_bytes -= self._waves.popitem(last=False)[1].nbytes
        self._waves.move_to_end(path)
        return self._waves[path]
