"""Augmentations of a batch of standardised spectrograms [B, C, F, N]: what they draw for, and what each of them is.

A draw is of a whole batch and holds one value a clip; a clip to which nothing happens has a value that changes nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from emogram.augmentation.settings import Augmentation, Draw


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a batch of spectrograms."""

    clips: int
    bands: int
    frames: int


class SpectrogramDraw(Draw):
    """What happens to each clip of a batch."""

    def apply(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        """The augmented batch; the input is left as it is.

        Args:
            spec: [B, C, F, N], standardised: 0 is the mean of the training part.
            n_frames: [B], true lengths, None where no clip is padded.

        Returns:
            [B, C, F, N].
        """
        raise NotImplementedError


class SpectrogramAugmentation(Augmentation):
    """Settings of an augmentation of spectrograms; its probability is that of each clip."""

    def draw(self, rng: np.random.Generator, shape: Shape, /) -> SpectrogramDraw | None:
        """What happens to each clip this time, None for nothing to any."""
        chosen = rng.random(shape.clips) < self.probability
        return self.drawn(rng, shape, chosen) if chosen.any() else None

    def drawn(self, rng: np.random.Generator, shape: Shape, chosen: npt.NDArray[np.bool_]) -> SpectrogramDraw:
        """What happens to each clip [B] that is chosen, and nothing for the others."""
        raise NotImplementedError
