"""Level and sign of a wave: gain, polarity, clipping."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from emogram.augmentation.settings import LowToHigh, within
from emogram.augmentation.waveform import Scene, Wave, WaveformAugmentation, WaveformDraw

_GainDb = Annotated[float, Field(ge=-60, le=60)]
_HeadDb = Annotated[float, Field(ge=0, le=60)]


class GainDraw(WaveformDraw):
    """A change of level."""

    name: Literal["gain"] = "gain"
    gain_db: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        return wave * np.float32(10 ** (self.gain_db / 20))


class GainSettings(WaveformAugmentation):
    """Another level, up or down, as of another distance or recorder."""

    draws: ClassVar = GainDraw

    name: Literal["gain"] = "gain"
    gain_db: Annotated[tuple[_GainDb, _GainDb], LowToHigh] = Field(
        (-6.0, 6.0), description="change of level, dB, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> GainDraw:
        return GainDraw(gain_db=within(rng, self.gain_db))


class PolarityDraw(WaveformDraw):
    """The other sign."""

    name: Literal["polarity"] = "polarity"

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        return -wave


class PolaritySettings(WaveformAugmentation):
    """The other sign, as of a microphone wired the other way; no power spectrum changes by it alone."""

    draws: ClassVar = PolarityDraw

    name: Literal["polarity"] = "polarity"
    probability: float = Field(0.5, ge=0, le=1, description="chance that it happens")

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> PolarityDraw:
        return PolarityDraw()


class ClippingDraw(WaveformDraw):
    """What exceeds the peak less so many dB is cut off."""

    name: Literal["clipping"] = "clipping"
    below_peak_db: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        limit = np.abs(wave).max() * np.float32(10 ** (-self.below_peak_db / 20))
        return np.clip(wave, -limit, limit)


class ClippingSettings(WaveformAugmentation):
    """Hard clipping, as of a recorder set too loud; the level of the rest stays."""

    draws: ClassVar = ClippingDraw

    name: Literal["clipping"] = "clipping"
    probability: float = Field(0.1, ge=0, le=1, description="chance that it happens")
    below_peak_db: Annotated[tuple[_HeadDb, _HeadDb], LowToHigh] = Field(
        (1.0, 10.0), description="how far below the clip's peak it is cut off, dB, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> ClippingDraw:
        return ClippingDraw(below_peak_db=within(rng, self.below_peak_db))
