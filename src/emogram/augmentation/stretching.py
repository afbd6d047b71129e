"""Speed, tempo and pitch: resampling changes both of the others at once, WSOLA each of them alone."""

from typing import Annotated, ClassVar, Literal

import numpy as np
import soxr
from pydantic import Field
from typing_extensions import override

from emogram.augmentation.settings import LowToHigh, within
from emogram.augmentation.waveform import Scene, Wave, WaveformAugmentation, WaveformDraw, fitted
from emogram.augmentation.wsola import stretched

_Factor = Annotated[float, Field(ge=0.5, le=2)]
_Factors = Annotated[tuple[_Factor, _Factor], LowToHigh]
_Semitones = Annotated[float, Field(ge=-12, le=12)]

_SPEED_STEP = 0.025
"""Speeds are multiples of this: a resampler with a small rational ratio needs a shorter filter."""


class SpeedDraw(WaveformDraw):
    """The factor by which the clip is played faster."""

    name: Literal["speed"] = "speed"
    factor: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        if self.factor == 1.0:
            return wave.copy()
        # LQ keeps everything below 0.8 of the band, which is more than the networks see of a slowed clip.
        resampled = soxr.resample(wave, scene.sample_rate * self.factor, scene.sample_rate, quality="LQ")
        return fitted(resampled, max(1, round(len(wave) / self.factor)))


class SpeedSettings(WaveformAugmentation):
    """Played faster or slower by resampling: pitch and tempo change together.

    Ko et al. 2015, Audio augmentation for speech recognition.
    """

    draws: ClassVar = SpeedDraw
    keeps_time: ClassVar = False

    name: Literal["speed"] = "speed"
    factor: _Factors = Field(
        (0.85, 1.15), description="how much faster, low and high; rounded to steps of 0.025 within them"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> SpeedDraw:
        low, high = self.factor
        rounded = round(round(within(rng, self.factor) / _SPEED_STEP) * _SPEED_STEP, 3)
        return SpeedDraw(factor=min(max(rounded, low), high))


class TempoDraw(WaveformDraw):
    """The factor by which the clip is spoken faster."""

    name: Literal["tempo"] = "tempo"
    factor: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        return stretched(wave, max(1, round(len(wave) / self.factor)), sample_rate=scene.sample_rate)


class TempoSettings(WaveformAugmentation):
    """Spoken faster or slower at the same pitch, by waveform similarity (WSOLA)."""

    draws: ClassVar = TempoDraw
    keeps_time: ClassVar = False

    name: Literal["tempo"] = "tempo"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens")
    factor: _Factors = Field((0.9, 1.1), description="how much faster, low and high")

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> TempoDraw:
        return TempoDraw(factor=within(rng, self.factor))


class PitchDraw(WaveformDraw):
    """The step from the old pitch to the new."""

    name: Literal["pitch"] = "pitch"
    semitones: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        factor = 2 ** (self.semitones / 12)
        longer = stretched(wave, max(1, round(len(wave) * factor)), sample_rate=scene.sample_rate)
        return fitted(soxr.resample(longer, scene.sample_rate * factor, scene.sample_rate, quality="HQ"), len(wave))


class PitchSettings(WaveformAugmentation):
    """Higher or lower by parts of a semitone, as long as before: stretched by WSOLA, then resampled.

    Formants move along. Small by default, as the height of a voice is itself a cue of emotion.
    """

    draws: ClassVar = PitchDraw

    name: Literal["pitch"] = "pitch"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens")
    semitones: Annotated[tuple[_Semitones, _Semitones], LowToHigh] = Field(
        (-1.0, 1.0), description="shift in semitones, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> PitchDraw:
        return PitchDraw(semitones=within(rng, self.semitones))
