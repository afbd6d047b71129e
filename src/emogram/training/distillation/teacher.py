"""The teacher: the first blocks of Whisper's encoder, as published or as a run has fine-tuned them, and its kept frames."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from emogram.augmentation import waveform
from emogram.errors import ConfigurationError
from emogram.networks.whisper import MAX_FRAMES, SIZES, WhisperEncoder, WhisperNetworkSettings
from emogram.spectrograms.whisper import WhisperSettings
from emogram.training import configuration
from emogram.training.cache import AudioCache
from emogram.training.checkpoints import load_weights
from emogram.training.distillation.alignment import FrameGrid
from emogram.training.distillation.settings import DistillationSettings, weights_file
from emogram.training.kept import Features, KeptOutputs, identity
from emogram.training.transfer import load_encoder, strict

_FIELD = "distillation.teacher"
_TOGETHER = 2
"""Positions that are kept as their mean."""

_HOP_S, _STRIDE = 0.010, 2


def load_teacher(settings: DistillationSettings) -> WhisperEncoder:
    """The teacher's stem and first blocks, up to the one that is learned from.

    Raises:
        ModelError: a file that cannot be read, or is not of a teacher of that size.
        ConfigurationError: a run of another network, or of fewer blocks.
    """
    assert settings.teacher is not None
    encoder = WhisperEncoder(SIZES[settings.size.removeprefix("whisper-")], blocks=settings.block)
    if settings.teacher.is_dir():
        strict(encoder, _of_run(settings.teacher, settings, set(encoder.state_dict())), settings.teacher)
    else:
        load_encoder(encoder, settings.teacher, _FIELD)
    return encoder.eval().requires_grad_(False)


def _of_run(run: Path, settings: DistillationSettings, wanted: set[str]) -> dict[str, Tensor]:
    network = configuration.load(run / "configuration.yaml").network
    if not isinstance(network, WhisperNetworkSettings) or network.name != settings.size:
        raise ConfigurationError(
            f"{_FIELD}={run}: a run of {network.name}, not of {settings.size}; choose another run or distillation.size"
        )
    if settings.block > network.blocks:
        raise ConfigurationError(
            f"distillation.block={settings.block}: the network of {run} has {network.blocks}; choose at most that"
        )
    tensors = load_weights(weights_file(run), "classifier.network.encoder.")
    return {name: tensor for name, tensor in tensors.items() if name in wanted}


class TeacherFrames(KeptOutputs):
    """Outputs [Q, D] of one of the teacher's blocks, the mean of every two positions: one frame for 40 ms.

    An hour of speech takes 90 000 frames, in half precision 92 MB of whisper-base (D = 512), 69 MB of whisper-tiny (384)
    and 138 MB of whisper-small (768), and as much for each copy. What lies beyond the 30 s of the published positions has
    no frames.

    Args:
        folder: of all caches; made when needed.
        encoder: up to the block.
        cache: gives waves.
        augmentation: of the copies.

    Raises:
        ConfigurationError: waves of a rate that the teacher does not know.
    """

    def __init__(
        self, folder: Path, encoder: WhisperEncoder, cache: AudioCache, augmentation: waveform.WaveformSettings
    ) -> None:
        self.encoder = encoder
        self.spectrogram = WhisperSettings().build(cache.sample_rate)
        step_s = _HOP_S * _STRIDE
        # Position p is centred on frame 2 p of the spectrogram, a pair between its two.
        self.grid = FrameGrid(_TOGETHER * step_s, (_TOGETHER - 1) * step_s / 2, encoder.conv1.out_channels)
        facts = {
            "block": len(encoder.layers),
            "together": _TOGETHER,
            "augmentation": augmentation.model_dump(mode="json"),
            "sample_rate": cache.sample_rate,
        }
        name = identity(encoder.state_dict(), facts)
        super().__init__(folder / f"teacher-{name}", cache, augmentation)

    @override
    def outputs(self, waves: Sequence[Tensor]) -> list[Features]:
        heard = [wave[: (MAX_FRAMES - 1) * self.spectrogram.hop_length] for wave in waves]
        n_frames = self.spectrogram.n_frames(torch.tensor([len(wave) for wave in heard]))
        spec = self.spectrogram(torch.nn.utils.rnn.pad_sequence(heard, batch_first=True))
        outputs, mask = self.encoder(spec, n_frames)
        assert mask is not None
        lengths = mask.sum(dim=1).int().tolist()
        return [_pairs(frames[:length]) for frames, length in zip(outputs[-1], lengths, strict=True)]


def _pairs(frames: Tensor) -> Features:
    """Means of every two frames: [N, D] -> [ceil(N / 2), D]; a last one without partner stands for its pair."""
    if len(frames) % _TOGETHER:
        frames = torch.cat([frames, frames[-1:]])
    means: Features = frames.unflatten(0, (-1, _TOGETHER)).mean(dim=1).numpy().astype(np.float16)
    return means
