"""What is drawn of a clip: each channel of each spectrogram type, in its unit, with the limits of its colours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emogram.spectrograms import Axis, Spectrogram, Standardisation
from emogram.spectrograms.settings import TypeSettings

Wave = npt.NDArray[np.float32]

RANGE_DB = 80.0
"""Levels are drawn down to this far below the highest."""

_SATURATED = 99.5
"""Percentile at which the colours of values that are no levels end."""

_UNITS = {
    "magnitude": "magnitude",
    "power": "power",
    "pcen": "PCEN",
    "mfcc": "dB",
    "lfcc": "dB",
    "gfcc": "cube root of power",
}
_COMPRESSED = {"none": "power", "cube_root": "cube root of power"}
_SLOPES = {"delta": "dB per frame", "delta-delta": "dB per frame²"}

Standardised = Callable[[Wave], Tensor]
"""The standardised spectrogram [1, C, F, N] that a wave [T] would give."""

Rewrite = Callable[[Tensor, Standardised], Tensor]
"""An augmentation of a standardised spectrogram [1, C, F, N], which may look at other waves."""


@dataclass(frozen=True, eq=False)
class Version:
    """A clip as it was recorded, or as an augmentation made it.

    Attributes:
        title: such as ``speed × 1.10``.
        wave: [T].
        rewrite: what happens to its spectrogram, or None.
        name: one word for file names; empty for the clip as recorded.
        audible: false where only the spectrogram is changed.
    """

    title: str
    wave: Wave
    rewrite: Rewrite | None = None
    name: str = ""
    audible: bool = True


@dataclass(frozen=True, eq=False)
class Picture:
    """One channel of one spectrogram.

    Attributes:
        kind: name of the type.
        channel: name of the channel; empty where there is only one.
        values: [F, N], the lowest row first, in the unit.
        axis: of the rows.
        hop_s: seconds from column to column.
        unit: of the values.
        signed: whether values go both ways from zero.
    """

    kind: str
    channel: str
    values: npt.NDArray[np.float64]
    axis: Axis
    hop_s: float
    unit: str
    signed: bool

    @property
    def title(self) -> str:
        """Type and channel."""
        return f"{self.kind}: {self.channel}" if self.channel else self.kind

    @property
    def duration_s(self) -> float:
        """Seconds from the left edge to the right."""
        return float(self.values.shape[1] * self.hop_s)


@dataclass(frozen=True, eq=False)
class Shown:
    """A clip with all that is drawn of it.

    Attributes:
        name: of the clip, and of its files.
        versions: as recorded, then after each augmentation.
        looks: of each version, of each type, the pictures of its channels.
    """

    name: str
    versions: Sequence[Version]
    looks: Sequence[Sequence[Sequence[Picture]]]


def side_by_side(clips: Sequence[Shown]) -> tuple[list[Version], list[list[Picture]]]:
    """Every version of every clip under a title that tells it from the others, with its pictures of all types."""
    versions: list[Version] = []
    for clip in clips:
        for version in clip.versions:
            parts = ([clip.name] if len(clips) > 1 else []) + ([version.title] if len(clip.versions) > 1 else [])
            versions.append(replace(version, title=", ".join(parts) or clip.name))
    looks = [[picture for pictures in types for picture in pictures] for clip in clips for types in clip.looks]
    return versions, looks


def look(version: Version, settings: TypeSettings, front_end: Spectrogram, sample_rate: int) -> list[Picture]:
    """The pictures of one spectrogram type, one a channel.

    An augmentation of spectrograms works on standardised ones. There is no training part here to standardise with, so the
    mean and deviation are those of the wave itself, and taken out again.

    Args:
        version: of the clip.
        settings: of the type.
        front_end: built from them.
        sample_rate: Hz.
    """
    with torch.inference_mode():
        spec = _see(front_end, version.wave)
        if version.rewrite is not None:
            standard = Standardisation(front_end.statistics_shape)
            standard.fit([spec])
            changed = version.rewrite(standard(spec), lambda wave: standard(_see(front_end, wave)))
            spec = changed * standard.deviation + standard.mean
    pictures = []
    for channel, values in zip(front_end.channels, spec[0].double().numpy(), strict=True):
        unit, signed = unit_of(settings, front_end, channel)
        pictures.append(
            Picture(
                kind=settings.name,
                channel=channel if front_end.n_channels > 1 else "",
                values=values * (front_end.db_per_value or 1.0),
                axis=front_end.axis,
                hop_s=front_end.hop_s(sample_rate),
                unit=unit,
                signed=signed,
            )
        )
    return pictures


def limits(pictures: Sequence[Picture]) -> tuple[float, float]:
    """Values at the two ends of the colours, the same for all these pictures of one kind.

    Levels are drawn over `RANGE_DB`, signed values alike in both directions, other values from zero. The zeroth
    coefficient of a cepstrum, which is the mean level, is many times larger than the others and does not count.
    """
    first = pictures[0]
    skip = 1 if first.axis.quantity == "coefficient" and len(first.axis.values) > 1 else 0
    values = np.concatenate([picture.values[skip:].ravel() for picture in pictures])
    if first.signed:
        most = float(np.percentile(np.abs(values), _SATURATED)) or 1.0
        return -most, most
    if first.unit == "dB":
        highest = float(values.max())
        return min(max(float(values.min()), highest - RANGE_DB), highest - 1.0), highest
    return 0.0, float(np.percentile(values, _SATURATED)) or float(values.max()) or 1.0


def _see(front_end: Spectrogram, wave: Wave) -> Tensor:
    spec: Tensor = front_end(torch.from_numpy(wave)[None])
    return spec


def unit_of(settings: TypeSettings, front_end: Spectrogram, channel: str) -> tuple[str, bool]:
    """The unit of a channel's values, and whether they go both ways from zero."""
    if channel in _SLOPES:
        return _SLOPES[channel], True
    if front_end.db_per_value is not None:
        return "dB", False
    if front_end.axis.quantity == "pitch class":
        return "part of the peak", False
    fields: dict[str, Any] = settings.model_dump()
    exponent = fields.get("exponent", 1.0)
    unit = "power" if exponent == 1 else f"power^{exponent:g}"
    if settings.name in _UNITS:
        unit = _UNITS[settings.name]
    elif "compression" in fields:
        unit = _COMPRESSED.get(str(fields["compression"]), "value")
    elif "exponent" not in fields:
        unit = "value"
    return unit, front_end.axis.quantity == "coefficient"
