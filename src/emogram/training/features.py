"""Outputs of a network's frozen stages, computed once and kept: what does not learn need not be computed every epoch.

Each clip is kept as it is and in a number of augmented copies, from which every epoch draws one. What is kept depends on
the frozen weights, the front end, the augmentation and the clip alone, so that folds and runs share it.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from emogram.augmentation import waveform
from emogram.corpora.clip import Clip
from emogram.errors import CorpusError
from emogram.networks.classifier import Classifier
from emogram.networks.whisper import WhisperNetwork
from emogram.training.cache import AudioCache
from emogram.training.data import ClipDataset, generator

_SEED = 0
"""Of the augmented copies: the same for all runs, so that they can share them."""

Features = npt.NDArray[np.float16]


class FrozenFeatures:
    """Outputs of the first blocks of a network, on disk.

    Args:
        folder: of all caches; made when needed.
        classifier: whose frozen stages compute.
        frozen: how many blocks are frozen.
        cache: gives waves.
        augmentation: of the copies.
    """

    def __init__(
        self,
        folder: Path,
        classifier: Classifier,
        frozen: int,
        cache: AudioCache,
        augmentation: waveform.WaveformSettings,
    ) -> None:
        assert isinstance(classifier.network, WhisperNetwork)
        self.classifier, self.network, self.frozen = classifier, classifier.network, frozen
        self.cache, self.augmentation = cache, augmentation
        self.folder = folder / f"features-{self._key()}"

    def __call__(self, clip: Clip, copy: int) -> Features:
        """Outputs [L, N', D] of a clip as it is (copy 0) or of one of its augmented copies."""
        path = self._path(clip, copy)
        try:
            return np.asarray(np.lib.format.open_memmap(path, mode="r"))
        except (OSError, ValueError):  # not there yet, or damaged on disk
            self._compute(clip, copy)
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))

    def fill(
        self, clips: Sequence[Clip], copies: Sequence[int], *, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Compute whatever is not there yet, each clip alone: in a batch the last bit depends on its neighbours."""
        missing = [(clip, copy) for copy in copies for clip in clips if not self._path(clip, copy).exists()]
        for done, (clip, copy) in enumerate(missing, start=1):
            if not self._path(clip, copy).exists():  # another process may be filling the same cache
                self._compute(clip, copy)
            if progress is not None:
                progress(done, len(missing))

    def wave(self, clip: Clip, copy: int) -> npt.NDArray[np.float32]:
        """The wave [T] of a clip, or of one of its augmented copies."""
        wave = self.cache(clip)
        if copy == 0:
            return wave
        rng = generator(_SEED, "clip", copy, int(_hash(clip)[:12], 16))
        return waveform.apply(wave, waveform.draw(self.augmentation, rng), sample_rate=self.cache.sample_rate)

    @torch.inference_mode()
    def _compute(self, clip: Clip, copy: int) -> None:
        training = self.classifier.training
        self.classifier.eval()
        spec, _ = self.classifier.spec(torch.from_numpy(np.ascontiguousarray(self.wave(clip, copy)))[None])
        hidden, _ = self.network.lower(spec, frozen=self.frozen)
        self.classifier.train(training)
        _write(self._path(clip, copy), hidden[0].half().numpy())

    def _path(self, clip: Clip, copy: int) -> Path:
        name = _hash(clip)
        return self.folder / name[:2] / f"{name}-{copy}.npy"

    def _key(self) -> str:
        digest = hashlib.sha256()
        lower = self.network.encoder.state_dict()
        for name in sorted(lower):
            number = int(name.split(".")[1]) if name.startswith("layers.") else -1
            if number < self.frozen:
                digest.update(name.encode() + lower[name].numpy().tobytes())
        facts = {
            "kept": self.network.kept(self.frozen),
            "augmentation": self.augmentation.model_dump(mode="json"),
            "sample_rate": self.cache.sample_rate,
        }
        digest.update(json.dumps(facts, sort_keys=True).encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FeatureItem:
    """One clip's outputs [L, N', D], which emotion it is, and which ones its corpus can have."""

    hidden: Tensor
    target: int
    allowed: Tensor
    index: int


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Outputs of frozen stages, padded with zeros to one length.

    Attributes:
        hidden: [B, L, N', D].
        mask: [B, N'], one where a position is real.
        target: [B], index of the emotion.
        allowed: [B, K], true for the emotions that the clip's corpus can have.
        index: [B], positions in the list of clips.
    """

    hidden: Tensor
    mask: Tensor
    target: Tensor
    allowed: Tensor
    index: Tensor


class FeatureDataset(Dataset[FeatureItem]):
    """The clips of a `ClipDataset` as outputs of frozen stages, addressed by (epoch, position).

    Args:
        clips: of the part.
        features: gives outputs.
        copies: augmented copies to draw from beside the clip itself; 0 for clips as they are.
        crop_s: length in seconds of a random crop, or None for whole clips.
    """

    def __init__(self, clips: ClipDataset, features: FrozenFeatures, *, copies: int, crop_s: float | None) -> None:
        self.clips, self.targets = clips.clips, clips.targets
        self.allowed, self.seed = clips.allowed, clips.seed
        self.features, self.copies = features, copies
        spectrogram = features.classifier.spectrogram
        step_s = 2 * spectrogram.hop_s(features.cache.sample_rate)
        self.crop_length = None if crop_s is None else round(crop_s / step_s)

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, address: tuple[int, int]) -> FeatureItem:
        epoch, index = address
        clip = self.clips[index]
        rng = generator(self.seed, "clip", epoch, index)
        hidden = self.features(clip, int(rng.integers(self.copies + 1)))
        if self.crop_length is not None:
            start = round(max(0, hidden.shape[1] - self.crop_length) * rng.random())
            hidden = hidden[:, start : start + self.crop_length]
        values = torch.from_numpy(hidden.astype(np.float32))
        return FeatureItem(values, self.targets[index], self.allowed[clip.corpus], index)


def collate_features(items: Sequence[FeatureItem]) -> FeatureBatch:
    """Pad the outputs of a batch with zeros to the longest."""
    lengths = torch.tensor([item.hidden.shape[1] for item in items])
    hidden = torch.nn.utils.rnn.pad_sequence([item.hidden.transpose(0, 1) for item in items], batch_first=True)
    return FeatureBatch(
        hidden=hidden.transpose(1, 2),
        mask=(torch.arange(int(lengths.max()))[None, :] < lengths[:, None]).float(),
        target=torch.tensor([item.target for item in items]),
        allowed=torch.stack([item.allowed for item in items]),
        index=torch.tensor([item.index for item in items]),
    )


def _hash(clip: Clip) -> str:
    if not clip.sha256:
        raise CorpusError(f"{clip.path}: has no sha256 in its manifest; run emogram corpus scan again")
    return clip.sha256


def _write(path: Path, values: Features) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, values, allow_pickle=False)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
