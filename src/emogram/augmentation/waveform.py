"""Augmentations of a wave [T] before its spectrogram: speed, gain, noise, and the random crop to a training length."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
import soxr
from pydantic import BaseModel, ConfigDict, Field, field_validator

Wave = npt.NDArray[np.float32]

_SnrDb = Annotated[float, Field(ge=-100, le=100)]


class WaveformSettings(BaseModel):
    """Ranges of the augmentations of waves. Zero turns one off."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    speed: float = Field(
        0.15,
        ge=0,
        lt=0.5,
        description="largest change of speed (and so of pitch and tempo), rounded to steps of 0.025; 0.15 is 0.85 to 1.15",
    )
    gain_db: float = Field(6.0, ge=0, le=40, description="largest change of level, up or down")
    noise_probability: float = Field(0.0, ge=0, le=1, description="chance that a clip gets white noise")
    noise_snr_db: tuple[_SnrDb, _SnrDb] = Field(
        (10.0, 40.0), description="range of signal-to-noise ratios, low and high"
    )

    @field_validator("noise_snr_db")
    @classmethod
    def _low_before_high(cls, snr_db: tuple[float, float]) -> tuple[float, float]:
        if snr_db[0] > snr_db[1]:
            raise ValueError("the first must be the lower one; give them as low, high")
        return snr_db


@dataclass(frozen=True, slots=True)
class WaveformDraw:
    """What happens to one clip.

    Attributes:
        speed: factor by which the clip is played faster.
        gain_db: change of level.
        noise_snr_db: of white noise, or None for no noise.
        noise_seed: the noise itself.
        crop: where the crop or the padding begins, 0 (earliest) to 1 (latest).
    """

    speed: float
    gain_db: float
    noise_snr_db: float | None
    noise_seed: int
    crop: float


_SPEED_STEP = 0.025
"""Speeds are multiples of this: a resampler with a small rational ratio needs a shorter filter."""


def draw(settings: WaveformSettings, rng: np.random.Generator) -> WaveformDraw:
    """Draw what happens to one clip. Always takes the same number of values from the generator."""
    speed = 1.0 + settings.speed * rng.uniform(-1, 1)
    gain_db = settings.gain_db * rng.uniform(-1, 1)
    noisy = rng.random() < settings.noise_probability
    snr_db = rng.uniform(*settings.noise_snr_db)
    return WaveformDraw(
        speed=round(speed / _SPEED_STEP) * _SPEED_STEP if settings.speed else 1.0,
        gain_db=gain_db,
        noise_snr_db=snr_db if noisy else None,
        noise_seed=int(rng.integers(2**32)),
        crop=rng.random(),
    )


def apply(wave: Wave, drawn: WaveformDraw, *, sample_rate: int) -> Wave:
    """The augmented wave, not yet cropped; the input is left as it is.

    Args:
        wave: [T].
        drawn: from `draw`.
        sample_rate: Hz.

    Returns:
        [T / speed].
    """
    if drawn.speed != 1.0:
        # LQ keeps everything below 0.8 of the band, which is more than the networks see of a slowed clip.
        wave = soxr.resample(wave, sample_rate * drawn.speed, sample_rate, quality="LQ").astype(np.float32, copy=False)
    wave = wave * np.float32(10 ** (drawn.gain_db / 20))
    if drawn.noise_snr_db is not None:
        wave = add_noise(wave, np.random.default_rng(drawn.noise_seed), snr_db=drawn.noise_snr_db)
    return wave


def add_noise(wave: Wave, rng: np.random.Generator, *, snr_db: float) -> Wave:
    """The wave with white noise at a signal-to-noise ratio over the whole clip; silence stays silent."""
    noise = rng.standard_normal(len(wave), dtype=np.float32)
    signal_power = float(np.mean(np.square(wave, dtype=np.float64)))
    noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
    scale = np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))
    return wave + noise * np.float32(scale)


def crop(wave: Wave, length: int, position: float) -> Wave:
    """At most `length` samples of the wave, from `position` 0 (the first possible) to 1 (the last possible).

    A shorter wave is returned whole: padding is the batch's business, which knows how to mask it.
    """
    start = round(max(0, len(wave) - length) * position)
    return wave[start : start + length]
