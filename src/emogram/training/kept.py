"""What a network gives for clips, computed once and kept on disk.

Each clip is kept as it is and in a number of augmented copies. What is kept depends on the weights, the front end, the
augmentation and the clip alone, so that folds and runs share it. Two processes may fill the same folder: each writes under
a name of its own and renames, and whoever comes second replaces equal content by equal content.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emogram.augmentation import draw
from emogram.augmentation.recordings import Recordings, without_place
from emogram.augmentation.waveform import Scene, WaveformAugmentation
from emogram.corpora.clip import Clip
from emogram.errors import CorpusError
from emogram.training.cache import AudioCache
from emogram.training.data import generator
from emogram.training.material import RESULTS_VERSION
from emogram.writing import whole

_SEED = 0
"""Of the augmented copies: the same for all runs, so that they can share them."""

Features = npt.NDArray[np.float16]


class KeptOutputs(ABC):
    """Outputs of a network for clips and their augmented copies, on disk in half precision.

    Args:
        folder: of these outputs and no others; made when needed.
        cache: gives waves.
        augmentation: chain for the waves of the copies. One that needs other clips of the training part is refused when a
            copy is made: what is kept is shared by runs that have other training parts.
    """

    def __init__(self, folder: Path, cache: AudioCache, augmentation: Sequence[WaveformAugmentation]) -> None:
        self.folder = folder
        self.cache, self.augmentation = cache, tuple(augmentation)
        self.scene = Scene(cache.sample_rate, Recordings(cache.sample_rate))

    @abstractmethod
    def output(self, wave: Tensor) -> Features:
        """What is kept of a wave [T]."""

    def __call__(self, clip: Clip, copy: int) -> Features:
        """What is kept of a clip as it is (copy 0) or of one of its augmented copies."""
        path = self._path(clip, copy)
        try:
            return np.asarray(np.lib.format.open_memmap(path, mode="r"))
        except (OSError, ValueError):  # not there yet, or damaged on disk
            self._compute(clip, copy)
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))

    def missing(self, clips: Sequence[Clip], copies: Sequence[int]) -> list[tuple[Clip, int]]:
        """What is not there yet."""
        return [(clip, copy) for copy in copies for clip in clips if not self._path(clip, copy).exists()]

    def fill(self, clips: Sequence[Clip], copies: Sequence[int]) -> None:
        """Compute whatever is not there yet, each clip alone: in a batch the last bit depends on its neighbours."""
        for clip, copy in self.missing(clips, copies):
            if not self._path(clip, copy).exists():  # another process may be filling the same cache
                self._compute(clip, copy)

    def wave(self, clip: Clip, copy: int) -> npt.NDArray[np.float32]:
        """The wave [T] of a clip, or of one of its augmented copies."""
        wave = self.cache(clip)
        if copy == 0:
            return wave
        rng = generator(_SEED, "clip", copy, int(_hash(clip)[:12], 16))
        for drawn in draw(self.augmentation, rng, self.scene):
            wave = drawn.apply(wave, self.scene)
        return wave

    @torch.inference_mode()
    def _compute(self, clip: Clip, copy: int) -> None:
        wave = torch.from_numpy(np.ascontiguousarray(self.wave(clip, copy)))
        _write(self._path(clip, copy), self.output(wave))

    def _path(self, clip: Clip, copy: int) -> Path:
        name = _hash(clip)
        return self.folder / name[:2] / f"{name}-{copy}.npy"


def identity(
    parts: Mapping[str, Mapping[str, Tensor]],
    facts: Mapping[str, Any],
    augmentation: Sequence[WaveformAugmentation],
) -> str:
    """16 hexadecimal digits that change with every number, fact, augmentation and recording, and with the code.

    Args:
        parts: parameters and buffers of all that computes, front end and standardisation among it, by part.
        facts: of whatever else what is kept depends on, JSON-ready.
        augmentation: chain of the copies.
    """
    digest = hashlib.sha256()
    for part, tensors in sorted(parts.items()):
        for name in sorted(tensors):
            digest.update(f"{part}.{name}".encode() + tensors[name].numpy().tobytes())
    chain = [without_place(step.model_dump(mode="json")) for step in augmentation]
    digest.update(json.dumps([facts, chain, RESULTS_VERSION], sort_keys=True).encode())
    return digest.hexdigest()[:16]


def _hash(clip: Clip) -> str:
    if not clip.sha256:
        raise CorpusError(f"{clip.path}: has no sha256 in its manifest; run emogram corpus scan again")
    return clip.sha256


def _write(path: Path, values: Features) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial, partial.open("wb") as file:
        np.save(file, values, allow_pickle=False)
