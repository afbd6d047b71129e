"""What all augmentations share: settings with a name and a probability, ranges with units, draws that can be printed."""

from typing import Annotated, ClassVar, Protocol, TypeVar
from zlib import crc32

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Draw(BaseModel):
    """What one augmentation does this time: every random choice, and no more. JSON holds all of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str


class Augmentation(BaseModel):
    """Settings of one augmentation, told from the others by ``name``.

    Attributes:
        name: in a configuration.
        probability: chance that it happens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    draws: ClassVar[type[Draw]]

    name: str
    probability: float = Field(1.0, ge=0, le=1, description="chance that it happens")


def ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    """The bounds of a range, once they are in order. Raises `ValueError` otherwise."""
    if bounds[0] > bounds[1]:
        raise ValueError("the first must be the lower one; give them as low, high")
    return bounds


LowToHigh = AfterValidator(ordered)
"""Of a field that holds the two ends of a range."""

_Snr = Annotated[float, Field(ge=-100, le=100)]
SnrRange = Annotated[tuple[_Snr, _Snr], LowToHigh]
"""Signal-to-noise ratios in dB over the whole clip, low and high."""

Part = Annotated[float, Field(ge=0, le=1)]
"""A place in something, 0 at its first possible place and 1 at its last."""


def within(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """A value drawn evenly from a range, both ends included."""
    return float(min(max(rng.uniform(*bounds), bounds[0]), bounds[1]))


def seed(rng: np.random.Generator) -> int:
    """A seed for noise that is made when the draw is applied."""
    return int(rng.integers(2**32))


_Around_contra = TypeVar("_Around_contra", contravariant=True)
_Drawn_co = TypeVar("_Drawn_co", covariant=True)


class Drawing(Protocol[_Around_contra, _Drawn_co]):
    """Anything that draws for what is around: the augmentations of one level."""

    @property
    def name(self) -> str:
        """In a configuration."""
        ...

    def draw(self, rng: np.random.Generator, around: _Around_contra, /) -> _Drawn_co | None:
        """What happens this time, None for nothing."""
        ...


_A = TypeVar("_A")
_D = TypeVar("_D")


def draw(chain: "tuple[Drawing[_A, _D], ...]", rng: np.random.Generator, around: _A) -> tuple[_D, ...]:
    """Draw for every augmentation of a chain; what does not happen is left out.

    Each draws from a stream of its own, which follows from the generator, its name and how often the name came before.
    So no draw depends on what else is in the chain, and runs that differ by one augmentation can be compared in pairs.
    Takes one value from the generator.

    Args:
        chain: augmentations of one level, in the order in which they are applied.
        rng: of the clip or batch.
        around: what this level draws for: a scene, or the shape of a batch.
    """
    root = int(rng.integers(2**63))
    # One generator that is moved from stream to stream: to make one for each costs more than most augmentations.
    philox = np.random.Philox(key=0)
    fresh = philox.state
    stream = np.random.Generator(philox)
    drawn = []
    met: dict[str, int] = {}
    for augmentation in chain:
        turn = met[augmentation.name] = met.get(augmentation.name, -1) + 1
        key = np.array([root, turn << 32 | crc32(augmentation.name.encode())], np.uint64)
        philox.state = {**fresh, "state": {"counter": np.zeros(4, np.uint64), "key": key}}
        parameters = augmentation.draw(stream, around)
        if parameters is not None:
            drawn.append(parameters)
    return tuple(drawn)
