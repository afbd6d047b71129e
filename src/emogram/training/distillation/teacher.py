"""The teacher: the first blocks of Whisper's encoder, as published or as a run has fine-tuned them, and its kept frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from emogram.augmentation.waveform import WaveformAugmentation
from emogram.errors import ConfigurationError
from emogram.networks.low_rank import merged
from emogram.networks.whisper import MAX_FRAMES, SIZES, WhisperEncoder, WhisperNetworkSettings
from emogram.spectrograms import Spectrogram
from emogram.spectrograms.whisper import WhisperSettings
from emogram.training import configuration
from emogram.training.cache import AudioCache
from emogram.training.checkpoints import load_weights
from emogram.training.distillation.alignment import FrameGrid
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.kept import Features, KeptOutputs, identity
from emogram.training.origins import weights_of
from emogram.training.transfer import load_encoder, strict

_FIELD = "distillation.teacher"
_PAIR = 2
"""Positions that are kept as their mean, where the student's frames are no shorter than that."""

_LESS = 0.5
"""Of a position, by which a student's frame may fall short of a pair."""

_STRIDE = 2
"""Of the teacher's stem over its spectrogram."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """The picture that the teacher knows, and its stem and first blocks, up to the one that is learned from."""

    spectrogram: Spectrogram
    encoder: WhisperEncoder


def load_teacher(settings: DistillationSettings, sample_rate: int) -> Teacher:
    """The teacher, as it stays.

    Raises:
        ModelError: a file that cannot be read, or is not of a teacher of that size.
        ConfigurationError: a sampling rate that it does not know; a run of another network, or of fewer blocks.
    """
    assert settings.teacher is not None
    encoder = WhisperEncoder(SIZES[settings.size.removeprefix("whisper-")], blocks=settings.block)
    if settings.teacher.is_dir():
        strict(encoder, _of_run(settings.teacher, settings, set(encoder.state_dict())), settings.teacher)
    else:
        load_encoder(encoder, settings.teacher, _FIELD)
    return Teacher(WhisperSettings().build(sample_rate), encoder.eval().requires_grad_(False))


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
    tensors = merged(load_weights(weights_of(run), "classifier.network.encoder."))
    return {name: tensor for name, tensor in tensors.items() if name in wanted}


class TeacherFrames(KeptOutputs):
    """Outputs [Q, D] of one of the teacher's blocks, one frame for 40 ms: the mean of every two positions.

    Or for 20 ms, every position, where the student's frames are shorter than 40.

    An hour of speech takes 90 000 frames, in half precision 92 MB of whisper-base (D = 512), 69 MB of whisper-tiny (384)
    and 138 MB of whisper-small (768), and as much for each copy. What lies beyond the 30 s of the published positions has
    no frames.

    Args:
        folder: of all caches; made when needed.
        teacher: whose last block is kept.
        cache: gives waves.
        augmentation: of the copies.
        student_step_s: from frame to frame of the student.
    """

    def __init__(
        self,
        folder: Path,
        teacher: Teacher,
        cache: AudioCache,
        augmentation: Sequence[WaveformAugmentation],
        *,
        student_step_s: float,
    ) -> None:
        self.spectrogram, self.encoder = teacher.spectrogram, teacher.encoder
        step_s = _STRIDE * self.spectrogram.hop_s(cache.sample_rate)
        # Position p is centred on frame 2 p of the spectrogram, a pair between its two.
        self.together = _PAIR if student_step_s > (_PAIR - _LESS) * step_s else 1
        self.grid = FrameGrid(self.together * step_s, (self.together - 1) * step_s / 2, self.encoder.conv1.out_channels)
        facts = {
            "block": len(self.encoder.layers),
            "together": self.together,
            "sample_rate": cache.sample_rate,
        }
        parts = {"encoder": self.encoder.state_dict()}
        super().__init__(folder / f"teacher-{identity(parts, facts, augmentation)}", cache, augmentation)

    @override
    def output(self, wave: Tensor) -> Features:
        heard = wave[: (MAX_FRAMES - 1) * self.spectrogram.hop_length]
        outputs, _ = self.encoder(self.spectrogram(heard[None]))
        return _means(outputs[-1][0], self.together)


def _means(frames: Tensor, together: int) -> Features:
    """Means of so many frames each: [N, D] -> [ceil(N / together), D]; a last one without partner stands for its pair."""
    if len(frames) % together:
        frames = torch.cat([frames, frames[-1:]])
    means: Features = frames.reshape(-1, together, frames.shape[1]).mean(dim=1).numpy().astype(np.float16)
    return means
