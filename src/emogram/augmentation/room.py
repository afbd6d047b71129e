"""Reverberation by a room impulse response, recorded or made."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import scipy.fft
from pydantic import Field
from typing_extensions import override

from emogram.augmentation.recordings import Recordings
from emogram.augmentation.settings import LowToHigh, seed, within
from emogram.augmentation.waveform import Scene, Wave, WaveformAugmentation, WaveformDraw
from emogram.sounds import power

_Rt60 = Annotated[float, Field(ge=0.02, le=5)]
_Drr = Annotated[float, Field(ge=-20, le=60)]

_LONGEST_S = 2.0
_GAP_S = 0.002
"""From the direct sound to the first of what the walls give back."""


def reverberant(wave: Wave, response: Wave) -> Wave:
    """The wave [T] heard through an impulse response whose direct sound comes first, as long and as loud as before."""
    size = scipy.fft.next_fast_len(len(wave) + len(response), real=True)
    heard = scipy.fft.irfft(scipy.fft.rfft(wave, size) * scipy.fft.rfft(response, size), size)[: len(wave)]
    loudness = power(heard)
    return heard * np.float32(np.sqrt(power(wave) / loudness)) if loudness > 0 else np.zeros_like(wave)


def decaying(rt60_s: float, drr_db: float, rng: np.random.Generator, *, sample_rate: int) -> Wave:
    """An impulse, and noise behind it that decays by 60 dB in `rt60_s` (Polack 1988).

    Args:
        rt60_s: reverberation time.
        drr_db: ratio of the energies of impulse and noise.
        rng: of the noise.
        sample_rate: Hz.
    """
    gap = round(_GAP_S * sample_rate)
    time_s = np.arange(max(1, round(rt60_s * sample_rate)), dtype=np.float32) / np.float32(sample_rate)
    tail = rng.standard_normal(len(time_s), dtype=np.float32) * np.exp(time_s * np.float32(-3 * np.log(10) / rt60_s))
    tail *= np.float32(np.sqrt(10 ** (-drr_db / 10) / np.square(tail, dtype=np.float64).sum()))
    response = np.concatenate([np.zeros(gap, np.float32), tail])
    response[0] = 1.0
    return response


class RoomDraw(WaveformDraw):
    """A recorded response, or the parameters of one that is made."""

    name: Literal["room"] = "room"
    folder: Path | None = None
    recording: str = ""
    rt60_s: float = 0.0
    drr_db: float = 0.0
    seed: int = 0

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        if self.folder is None:
            rng = np.random.default_rng(self.seed)
            return reverberant(wave, decaying(self.rt60_s, self.drr_db, rng, sample_rate=scene.sample_rate))
        response = scene.recordings.wave(self.folder, self.recording)
        direct = int(np.argmax(np.abs(response)))
        return reverberant(wave, response[direct:][: round(_LONGEST_S * scene.sample_rate)])


class RoomSettings(WaveformAugmentation):
    """The sound of a room: an impulse response from a folder, or noise that decays where no folder is given."""

    draws: ClassVar = RoomDraw

    name: Literal["room"] = "room"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens")
    folder: Path | None = Field(None, description="any folder with impulse responses; without one they are made")
    rt60_s: Annotated[tuple[_Rt60, _Rt60], LowToHigh] = Field(
        (0.1, 0.6), description="of a made response: time to decay by 60 dB, s, low and high"
    )
    drr_db: Annotated[tuple[_Drr, _Drr], LowToHigh] = Field(
        (3.0, 20.0), description="of a made response: direct to reverberant energy, dB, low and high"
    )

    @override
    def check(self, recordings: Recordings) -> None:
        if self.folder is not None:
            recordings.names(self.folder)

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> RoomDraw:
        if self.folder is None:
            return RoomDraw(rt60_s=within(rng, self.rt60_s), drr_db=within(rng, self.drr_db), seed=seed(rng))
        names = scene.recordings.names(self.folder)
        return RoomDraw(folder=self.folder, recording=names[int(rng.integers(len(names)))])
