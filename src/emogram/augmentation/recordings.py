"""Recordings in folders, noises and impulse responses, decoded when first asked for and kept in bounded memory."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emogram import audio
from emogram.corpora.files import audio_files
from emogram.errors import ConfigurationError, CorpusError

Wave = npt.NDArray[np.float32]

_MAX_BYTES = 256 * 2**20
_HASHED_BYTES = 2**20


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


def without_place(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a step or a condition depends on, JSON-ready: of a folder what it is called and what is in it, not where it lies.

    Args:
        settings: of the step as JSON has them; ``recordings``, where there is one, says which files of ``folder`` count.
    """
    if not settings.get("folder"):
        return dict(settings)
    folder = Path(settings["folder"]).absolute()
    return {**settings, "folder": f"{folder.name} {_fingerprint(folder, settings.get('recordings', '*'))}".rstrip()}


def _fingerprint(folder: Path, pattern: str) -> str:
    """12 hexadecimal digits that change with every name, length and first mebibyte; none where the folder is not here."""
    try:
        files = audio_files(folder)
    except CorpusError:
        return ""
    digest = hashlib.sha256()
    for path in files:
        if fnmatch(path.name, pattern):
            status = path.stat()
            begins = _beginning(path, status.st_size, status.st_mtime_ns)
            digest.update(
                f"{path.relative_to(folder).as_posix()} {status.st_size} {begins}\n".encode(errors="surrogateescape")
            )
    return digest.hexdigest()[:12]


@lru_cache(maxsize=65_536)
def _beginning(path: Path, size: int, changed_ns: int) -> str:  # noqa: ARG001 - of a file as it is now
    with path.open("rb") as file:
        return hashlib.sha256(file.read(_HASHED_BYTES)).hexdigest()
