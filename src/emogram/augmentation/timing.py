"""When things sound: shift, crop, and two clips of one emotion in a row."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from emogram.augmentation.settings import LowToHigh, Part, within
from emogram.augmentation.waveform import Scene, Wave, WaveformAugmentation, WaveformDraw

_Shift = Annotated[float, Field(ge=-30, le=30)]
_Kept = Annotated[float, Field(gt=0, le=1)]
_Pause = Annotated[float, Field(ge=0, le=10)]


def crop(wave: Wave, length: int, position: float) -> Wave:
    """At most `length` samples of the wave, from `position` 0 (the first possible) to 1 (the last possible).

    A shorter wave is returned whole: padding is the batch's business, which knows how to mask it.
    """
    start = round(max(0, len(wave) - length) * position)
    return wave[start : start + length]


class ShiftDraw(WaveformDraw):
    """How much later the clip sounds."""

    name: Literal["shift"] = "shift"
    shift_s: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        samples = max(-len(wave), min(len(wave), round(self.shift_s * scene.sample_rate)))
        shifted = np.zeros_like(wave)
        if samples >= 0:
            shifted[samples:] = wave[: len(wave) - samples]
        else:
            shifted[:samples] = wave[-samples:]
        return shifted


class ShiftSettings(WaveformAugmentation):
    """Earlier or later within its length; silence takes the place of what moved."""

    draws: ClassVar = ShiftDraw
    keeps_time: ClassVar = False

    name: Literal["shift"] = "shift"
    probability: float = Field(0.5, ge=0, le=1, description="chance that it happens")
    shift_s: Annotated[tuple[_Shift, _Shift], LowToHigh] = Field(
        (-0.2, 0.2), description="seconds later, low (negative: earlier) and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> ShiftDraw:
        return ShiftDraw(shift_s=within(rng, self.shift_s))


class CropDraw(WaveformDraw):
    """Which part of the clip is kept, and from where."""

    name: Literal["crop"] = "crop"
    kept: Part
    position: Part

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        return crop(wave, max(1, round(self.kept * len(wave))), self.position)


class CropSettings(WaveformAugmentation):
    """A random part of the clip. The crop of all training clips to `audio.clip_s` comes after, and of its own."""

    draws: ClassVar = CropDraw
    keeps_time: ClassVar = False

    name: Literal["crop"] = "crop"
    probability: float = Field(0.5, ge=0, le=1, description="chance that it happens")
    kept: Annotated[tuple[_Kept, _Kept], LowToHigh] = Field(
        (0.7, 1.0), description="part of the duration that is kept, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> CropDraw:
        return CropDraw(kept=within(rng, self.kept), position=float(rng.random()))


class ConcatenationDraw(WaveformDraw):
    """The other clip, by its position in the training part, the pause between, and which comes first."""

    name: Literal["concatenation"] = "concatenation"
    other: int
    pause_s: float
    first: bool

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        other = scene.require_companions(self.name).wave(self.other)
        pause = np.zeros(round(self.pause_s * scene.sample_rate), np.float32)
        return np.concatenate([wave, pause, other] if self.first else [other, pause, wave])


class ConcatenationSettings(WaveformAugmentation):
    """Another clip of the same corpus and emotion of the training part before or behind this one.

    Pappagari et al. 2021, CopyPaste: an augmentation method for speech emotion recognition. Comes best first in a chain.
    """

    draws: ClassVar = ConcatenationDraw
    keeps_time: ClassVar = False

    name: Literal["concatenation"] = "concatenation"
    probability: float = Field(0.2, ge=0, le=1, description="chance that it happens")
    pause_s: Annotated[tuple[_Pause, _Pause], LowToHigh] = Field(
        (0.0, 0.2), description="silence between the two, s, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> ConcatenationDraw | None:
        others = scene.require_companions(self.name).of_the_same_emotion(scene.index)
        if not len(others):
            return None
        other = int(others[int(rng.integers(len(others)))])
        return ConcatenationDraw(other=other, pause_s=within(rng, self.pause_s), first=bool(rng.random() < 0.5))
