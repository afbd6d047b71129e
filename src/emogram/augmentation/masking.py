"""Parts of a spectrogram that are hidden: SpecAugment's masks, and cutout."""

from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from emogram.augmentation.settings import LowToHigh
from emogram.augmentation.spectrogram import Shape, SpectrogramAugmentation, SpectrogramDraw

Runs = tuple[tuple[tuple[int, int], ...], ...]
"""[B, masks]: where each begins and how long it is."""

_Size = Annotated[float, Field(ge=0, le=1)]


class MasksDraw(SpectrogramDraw):
    """Runs of bands and of frames that are set to the mean."""

    name: Literal["masks"] = "masks"
    bands: Runs
    frames: Runs

    @override
    def apply(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        bands = _inside(self.bands, spec.shape[2])[:, :, None]
        frames = _inside(self.frames, spec.shape[3])[:, None, :]
        return _hidden(spec, bands | frames)


class MasksSettings(SpectrogramAugmentation):
    """Random runs of bands and of frames are hidden (Park et al. 2019, SpecAugment)."""

    draws: ClassVar = MasksDraw

    name: Literal["masks"] = "masks"
    masks: int = Field(2, ge=1, le=10, description="number of frequency masks, and of time masks")
    frequency_mask: float = Field(0.18, ge=0, lt=1, description="largest part of the bands under one mask")
    time_mask: float = Field(0.1, ge=0, lt=1, description="largest part of the frames under one mask")

    @override
    def drawn(self, rng: np.random.Generator, shape: Shape, chosen: npt.NDArray[np.bool_]) -> MasksDraw:
        bands = _runs(rng, chosen, self.masks, shape.bands, (0.0, self.frequency_mask))
        frames = _runs(rng, chosen, self.masks, shape.frames, (0.0, self.time_mask))
        return MasksDraw(bands=bands, frames=frames)


class CutoutDraw(SpectrogramDraw):
    """Rectangles that are set to the mean: the runs of bands and of frames that they cover."""

    name: Literal["cutout"] = "cutout"
    bands: Runs
    frames: Runs

    @override
    def apply(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        hidden = np.zeros((len(self.bands), spec.shape[2], spec.shape[3]), dtype=bool)
        for clip, (bands, frames) in enumerate(zip(self.bands, self.frames, strict=True)):
            for (band, height), (frame, width) in zip(bands, frames, strict=True):
                hidden[clip, band : band + height, frame : frame + width] = True
        return _hidden(spec, hidden)


class CutoutSettings(SpectrogramAugmentation):
    """Random rectangles are hidden (DeVries and Taylor 2017, Improved regularization … with cutout)."""

    draws: ClassVar = CutoutDraw

    name: Literal["cutout"] = "cutout"
    probability: float = Field(0.5, ge=0, le=1, description="chance that it happens, for each clip")
    rectangles: int = Field(1, ge=1, le=20, description="how many")
    height: Annotated[tuple[_Size, _Size], LowToHigh] = Field(
        (0.1, 0.3), description="part of the bands that one covers, low and high"
    )
    width: Annotated[tuple[_Size, _Size], LowToHigh] = Field(
        (0.05, 0.2), description="part of the frames that one covers, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, shape: Shape, chosen: npt.NDArray[np.bool_]) -> CutoutDraw:
        bands = _runs(rng, chosen, self.rectangles, shape.bands, self.height)
        frames = _runs(rng, chosen, self.rectangles, shape.frames, self.width)
        return CutoutDraw(bands=bands, frames=frames)


def _runs(
    rng: np.random.Generator, chosen: npt.NDArray[np.bool_], number: int, size: int, parts: tuple[float, float]
) -> Runs:
    """For each clip, `number` runs of random place and of a length between two parts of the size; none if not chosen."""
    shortest, longest = (int(part * size) for part in parts)
    lengths = rng.integers(shortest, longest + 1, (len(chosen), number)) * chosen[:, None]
    starts = (rng.random((len(chosen), number)) * (size - lengths + 1)).astype(np.int64)
    return tuple(
        tuple(zip(firsts, sizes, strict=True)) for firsts, sizes in zip(starts.tolist(), lengths.tolist(), strict=True)
    )


def _inside(runs: Runs, size: int) -> npt.NDArray[np.bool_]:
    """[B, size], true within any of the runs of a clip."""
    places = np.array(runs)
    positions = np.arange(size)
    starts, ends = places[..., 0], places.sum(axis=2)
    inside = (positions >= starts[..., None]) & (positions < ends[..., None])
    return np.asarray(inside.any(axis=1))


def _hidden(spec: Tensor, hidden: npt.NDArray[np.bool_]) -> Tensor:
    """The batch with what is true in `hidden` [B, F, N] set to zero, the mean of the training part."""
    return spec.masked_fill(torch.from_numpy(hidden).to(spec.device)[:, None], 0.0)
