"""Outputs of a network's frozen stages, computed once and kept: what does not learn need not be computed every epoch.

Each clip is kept as it is and in a number of augmented copies, from which every epoch draws one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from emogram.augmentation.waveform import WaveformAugmentation
from emogram.networks.classifier import Classifier
from emogram.networks.encoder import EncoderNetwork
from emogram.training.cache import AudioCache
from emogram.training.data import ClipDataset, generator
from emogram.training.kept import Features, KeptOutputs, identity


class FrozenFeatures(KeptOutputs):
    """Outputs [L, N', D] of the first blocks of a network, on disk.

    Args:
        folder: of all caches; made when needed.
        classifier: whose frozen stages compute.
        frozen: how many blocks are frozen.
        cache: gives waves.
        augmentation: chain for the waves of the copies. One that needs other clips of the training part is refused when a
            copy is made: what is kept is shared by runs that have other training parts.
        spectrogram: settings of the classifier's front end.
    """

    def __init__(
        self,
        folder: Path,
        classifier: Classifier,
        frozen: int,
        cache: AudioCache,
        augmentation: Sequence[WaveformAugmentation],
        *,
        spectrogram: BaseModel,
    ) -> None:
        assert isinstance(classifier.network, EncoderNetwork)
        self.classifier: Classifier = classifier
        self.network: EncoderNetwork = classifier.network
        self.frozen: int = frozen
        facts = {
            "kept": self.network.kept(frozen),
            "spectrogram": spectrogram.model_dump(mode="json"),
            "sample_rate": cache.sample_rate,
        }
        parts = {
            "encoder": self.network.encoder.first_blocks(frozen),
            "spectrogram": classifier.spectrogram.state_dict(),
            "standardisation": classifier.standardisation.state_dict(),
        }
        super().__init__(folder / f"features-{identity(parts, facts, augmentation)}", cache, augmentation)

    @override
    def output(self, wave: Tensor) -> Features:
        training = self.classifier.training
        self.classifier.eval()
        spec, _ = self.classifier.spec(wave[None])
        hidden, _ = self.network.lower(spec, frozen=self.frozen)
        self.classifier.train(training)
        values: Features = hidden[0].half().numpy()
        return values


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
        hidden: [B, L, D, N'], laid out as spectrograms are.
        n_positions: [B], true lengths.
        target: [B], index of the emotion.
        allowed: [B, K], true for the emotions that the clip's corpus can have.
        index: [B], positions in the list of clips.
    """

    hidden: Tensor
    n_positions: Tensor
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
    hidden = torch.nn.utils.rnn.pad_sequence([item.hidden.transpose(0, 1) for item in items], batch_first=True)
    return FeatureBatch(
        hidden=hidden.permute(0, 2, 3, 1),
        n_positions=torch.tensor([item.hidden.shape[1] for item in items]),
        target=torch.tensor([item.target for item in items]),
        allowed=torch.stack([item.allowed for item in items]),
        index=torch.tensor([item.index for item in items]),
    )
