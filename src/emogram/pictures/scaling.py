"""How values become grey levels: ends and statistics measured on the training part, and the way back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

Spec = npt.NDArray[np.float32]
"""[C, F, N]"""

Bits = Literal[8, 16]


@dataclass(frozen=True, eq=False)
class Tally:
    """Count, mean, spread and ends of values; of all rows of a channel together, or of each row.

    Attributes:
        count: values behind each number.
        mean: [C, 1, 1] or [C, F, 1].
        squares: sum of squared distances from the mean.
        low: smallest value.
        high: largest value.
    """

    count: int
    mean: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @classmethod
    def of(cls, spec: Spec, *, by_row: bool) -> Self:
        """Of one spectrogram."""
        axes = (2,) if by_row else (1, 2)
        values = spec.astype(np.float64)
        mean = values.mean(axis=axes, keepdims=True)
        return cls(
            count=spec[0].size if not by_row else spec.shape[2],
            mean=mean,
            squares=np.square(values - mean).sum(axis=axes, keepdims=True),
            low=values.min(axis=axes, keepdims=True),
            high=values.max(axis=axes, keepdims=True),
        )

    def joined(self, other: Self) -> Self:
        """Of both together (Chan, Golub and LeVeque 1983)."""
        count = self.count + other.count
        step = other.mean - self.mean
        return type(self)(
            count=count,
            mean=self.mean + step * (other.count / count),
            squares=self.squares + other.squares + np.square(step) * (self.count * other.count / count),
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
        )

    @property
    def deviation(self) -> npt.NDArray[np.float64]:
        """Root of the mean squared distance from the mean."""
        return np.asarray(np.sqrt(self.squares / self.count))


def join(tallies: Iterable[Tally]) -> Tally:
    """Of all of them, added in their order, so that the last digit is the same every time."""
    first, *others = tallies
    for other in others:
        first = first.joined(other)
    return first


@dataclass(frozen=True, eq=False)
class Scaling:
    """Grey level 0 is `low`, the highest is `high`, in even steps; what lies beyond is cut off.

    Attributes:
        low: [C, 1, 1] or [C, F, 1].
        high: the same shape.
        bits: 8 or 16.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    bits: Bits

    @property
    def steps(self) -> int:
        """The highest grey level."""
        return int(2**self.bits - 1)

    def to_pixels(self, spec: Spec) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Grey levels [C, F, N] of values; 0 where all values of the training part were alike."""
        width = self.high - self.low
        part = np.divide(spec - self.low, width, out=np.zeros(spec.shape), where=width > 0)
        pixels = np.rint(np.clip(part, 0, 1) * self.steps)
        return np.asarray(pixels, dtype=np.uint8 if self.bits == 8 else np.uint16)

    def to_json(self) -> dict[str, Any]:
        """For people and programs: ends as [C][F] or [C][1]."""
        return {
            "bits": self.bits,
            "low": self.low[:, :, 0].tolist(),
            "high": self.high[:, :, 0].tolist(),
            "formula": f"value = low + pixel / {self.steps} * (high - low), by channel and row",
            "measured_on": "every clip of the training part as it is rendered; values beyond its ends are cut off",
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: something else was written there.
        """
        low, high = (np.array(content[end], dtype=np.float64)[:, :, None] for end in ("low", "high"))
        if low.shape != high.shape or content["bits"] not in {8, 16}:
            raise ValueError("not a scaling")
        return cls(low, high, content["bits"])


def arrange(pixels: npt.NDArray[np.unsignedinteger[Any]], layout: str) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Grey levels [C, F, N] as an image, its top row first, which is the highest row of the spectrogram.

    Args:
        pixels: from `Scaling.to_pixels`.
        layout: from `layout_of`.

    Returns:
        [F, N], [F, N, 3] for RGB, or [F, C N] with the channels from left to right.
    """
    upright = pixels[:, ::-1]
    if layout == "RGB":
        return np.ascontiguousarray(upright.transpose(1, 2, 0))
    return np.ascontiguousarray(np.concatenate(list(upright), axis=1))


def layout_of(channels: int, bits: Bits) -> str:
    """``grey``, ``RGB`` for three channels of 8 bits (PNG of 16 bits in colour is read by few), else ``side by side``."""
    if channels == 1:
        return "grey"
    return "RGB" if channels == 3 and bits == 8 else "side by side"
