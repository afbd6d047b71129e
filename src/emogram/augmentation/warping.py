"""Spectrograms bent along time or frequency, and an equaliser over their bands."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from emogram.augmentation.spectrogram import Shape, SpectrogramAugmentation, SpectrogramDraw

_KNOTS = 5


class TimeWarpDraw(SpectrogramDraw):
    """For each clip a place in time and where it goes, as parts of its true length."""

    name: Literal["time_warp"] = "time_warp"
    anchors: tuple[float, ...]
    moved: tuple[float, ...]

    @override
    def apply(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        frames = spec.shape[3]
        last = np.full(len(self.anchors), frames - 1.0) if n_frames is None else n_frames.cpu().numpy() - 1.0
        sources = np.tile(np.arange(frames, dtype=np.float32), (len(last), 1))
        for clip, (anchor, moved, end) in enumerate(zip(self.anchors, self.moved, last, strict=True)):
            if moved and end > 0:
                knots = [0, (anchor + moved) * end, end]
                inside = slice(0, int(end) + 1)
                sources[clip, inside] = np.interp(sources[clip, inside], knots, [0, anchor * end, end])
        return _resampled(spec, sources, dim=3)


class TimeWarpSettings(SpectrogramAugmentation):
    """A random frame is moved earlier or later and the rest bent along (Park et al. 2019, SpecAugment, piecewise linear)."""

    draws: ClassVar = TimeWarpDraw

    name: Literal["time_warp"] = "time_warp"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens, for each clip")
    shift: float = Field(0.05, ge=0, lt=0.25, description="farthest move, as a part of the clip's length")

    @override
    def drawn(self, rng: np.random.Generator, shape: Shape, chosen: npt.NDArray[np.bool_]) -> TimeWarpDraw:
        anchors = rng.uniform(0.25, 0.75, shape.clips)
        moved = rng.uniform(-self.shift, self.shift, shape.clips) * chosen
        return TimeWarpDraw(anchors=anchors.tolist(), moved=moved.tolist())


class FrequencyWarpDraw(SpectrogramDraw):
    """For each clip the factor by which bands move up; 1 for none."""

    name: Literal["frequency_warp"] = "frequency_warp"
    factors: tuple[float, ...]

    @override
    def apply(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        top = max(1, spec.shape[2] - 1)
        bands = np.arange(spec.shape[2], dtype=np.float32)
        sources = np.tile(bands, (len(self.factors), 1))
        for clip, factor in enumerate(self.factors):
            if factor != 1:
                knee = _KNEE * top * min(factor, 1.0)
                sources[clip] = np.interp(bands, [0, knee, top], [0, knee / factor, top])
        return _resampled(spec, sources, dim=2)


_KNEE = 0.8
"""Up to here bands move by the factor, above they are pressed together so that the highest stays."""


class FrequencyWarpSettings(SpectrogramAugmentation):
    """Bands are moved up or down by a factor, as by a shorter or longer vocal tract.

    Jaitly and Hinton 2013, Vocal tract length perturbation, on the bands of the spectrogram instead of Hz.
    """

    draws: ClassVar = FrequencyWarpDraw

    name: Literal["frequency_warp"] = "frequency_warp"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens, for each clip")
    factor: float = Field(0.05, ge=0, le=0.3, description="largest change of the factor; 0.05 is 0.95 to 1.05")

    @override
    def drawn(self, rng: np.random.Generator, shape: Shape, chosen: npt.NDArray[np.bool_]) -> FrequencyWarpDraw:
        factors = 1 + rng.uniform(-self.factor, self.factor, shape.clips) * chosen
        return FrequencyWarpDraw(factors=factors.tolist())


class FilterAugmentDraw(SpectrogramDraw):
    """For each clip the gains of an equaliser at knots spread evenly over the bands."""

    name: Literal["filter_augment"] = "filter_augment"
    knots: tuple[tuple[float, ...], ...]

    @override
    def apply(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        gain = torch.from_numpy(self.gain(spec.shape[2])).to(spec.device)
        return spec + gain[:, None, :, None]

    def gain(self, bands: int) -> npt.NDArray[np.float32]:
        """[B, F], straight between the knots."""
        positions = np.linspace(0, _KNOTS - 1, bands)
        return np.array([np.interp(positions, np.arange(_KNOTS), knots) for knots in self.knots], np.float32)


class FilterAugmentSettings(SpectrogramAugmentation):
    """A random smooth equaliser over the bands (Nam et al. 2022, FilterAugment, linear type)."""

    draws: ClassVar = FilterAugmentDraw

    name: Literal["filter_augment"] = "filter_augment"
    gain: float = Field(0.3, ge=0, le=3, description="largest gain, up or down, in training deviations")

    @override
    def drawn(self, rng: np.random.Generator, shape: Shape, chosen: npt.NDArray[np.bool_]) -> FilterAugmentDraw:
        knots = rng.uniform(-self.gain, self.gain, (shape.clips, _KNOTS)) * chosen[:, None]
        return FilterAugmentDraw(knots=knots.tolist())


def _resampled(spec: Tensor, sources: npt.NDArray[np.float32], *, dim: int) -> Tensor:
    """The batch with each clip's place p along a dimension taken from `sources` [B, size], linearly in between."""
    below = np.floor(sources).astype(np.int64)
    above = np.minimum(below + 1, sources.shape[1] - 1)
    shape = [len(sources), 1, 1, 1]
    shape[dim] = -1

    def taken(places: npt.NDArray[np.int64]) -> Tensor:
        return spec.gather(dim, torch.from_numpy(places).to(spec.device).view(shape).expand_as(spec))

    return torch.lerp(taken(below), taken(above), torch.from_numpy(sources - below).to(spec).view(shape))
