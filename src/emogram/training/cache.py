"""Decoded audio, once for ever: 16-bit PCM at one rate, one file a recording, named by the hash of its bytes.

Content decides the name, so a file is never stale: other bytes are another name. Two processes may fill the same cache:
each writes under a name of its own and renames, and whoever comes second replaces equal content by equal content.
"""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emogram import audio, processors
from emogram.corpora.clip import Clip
from emogram.corpora.files import of_clip
from emogram.errors import AudioError, CorpusError
from emogram.writing import whole

_FULL_SCALE = 32767.0
_PCM = np.dtype("<i2")


def default_folder() -> Path:
    """``$EMOGRAM_CACHE``, else ``emogram`` in the user's cache folder."""
    chosen = os.environ.get("EMOGRAM_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emogram"


class AudioCache:
    """Waves of clips at one sampling rate, decoded at first use and read as they were decoded from then on.

    Args:
        folder: where the decoded audio lies; made when needed.
        sample_rate: Hz.
    """

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.folder = folder
        self.sample_rate = sample_rate

    def fill(self, clips: Sequence[Clip], *, progress: Callable[[int, int], None] | None = None) -> None:
        """Decode whatever is not there yet.

        Raises:
            CorpusError: the bytes of a file are not those of the manifest.
            AudioError: a file that cannot be decoded, or is too long.
        """
        missing = [clip for clip in clips if not self._path(clip).exists()]
        with ThreadPoolExecutor(processors.count()) as pool:
            for done, _ in enumerate(pool.map(self._decode, missing), start=1):
                if progress is not None:
                    progress(done, len(missing))

    def __call__(self, clip: Clip) -> npt.NDArray[np.float32]:
        """Wave [T] of a clip, float32 in -1 to 1."""
        try:
            pcm = self._kept(clip)
        except (OSError, ValueError):  # not there yet, or damaged on disk
            self._decode(clip)
            pcm = self._kept(clip)
        return pcm.astype(np.float32) / np.float32(_FULL_SCALE)

    def _kept(self, clip: Clip) -> npt.NDArray[np.int16]:
        content = self._path(clip).read_bytes()
        count = (len(content) - len(_header(1))) // _PCM.itemsize
        header = _header(max(count, 1))
        # Compared, not parsed: with a map of the file it took three times as long to read a clip, a tenth of an epoch.
        if not content.startswith(header) or len(content) != len(header) + count * _PCM.itemsize:
            raise ValueError("not decoded audio")
        return np.frombuffer(content, _PCM, count, len(header))

    def _path(self, clip: Clip) -> Path:
        name = clip.sha256 or hashlib.sha256(_read(clip)).hexdigest()
        return self.folder / f"pcm-{self.sample_rate}" / name[:2] / f"{name}.npy"

    def _decode(self, clip: Clip) -> None:
        content = _read(clip)
        if clip.sha256 and hashlib.sha256(content).hexdigest() != clip.sha256:
            raise CorpusError(f"{clip.path}: changed since the manifest was made; run emogram corpus scan again")
        try:
            wave = audio.load(content, self.sample_rate, allow_silent=True)
        except AudioError as error:  # which was given bytes and knows no file
            raise of_clip(error, clip.path) from error
        pcm = np.round(np.clip(wave, -1.0, 1.0) * _FULL_SCALE).astype(_PCM)
        path = self._path(clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as partial, partial.open("wb") as file:
            np.save(file, pcm, allow_pickle=False)


def _read(clip: Clip) -> bytes:
    try:
        return Path(clip.path).read_bytes()
    except OSError as error:
        raise CorpusError(f"{clip.path}: cannot be read ({error.strerror}); run emogram corpus scan again") from error


@lru_cache(4096)
def _header(count: int) -> bytes:
    """What a file of that many samples begins with."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": _PCM.str, "fortran_order": False, "shape": (count,)})
    return file.getvalue()
