"""What is wrong with a recording, as far as it can be heard: warnings that stand beside an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from emogram.audio import Wave
from emogram.recognition.frames import FRAME_S, Values
from emogram.recognition.voice import Flags, Interval, VoiceActivity, speech

CLIPPING_PEAK = 0.985
"""From here on a sample counts as at full scale: resampling makes tops that were flat ripple about it."""

SHORT_S = 0.5
QUIET_DB = -55.0
"""Level of speech below which it is called too quiet. The quietest RAVDESS clips lie near -46 dB."""

SPARSE_SPEECH = 0.2
CLIPPED_SHARE = 1e-3
NARROW_DB = -30.0
"""Power above 4.2 kHz relative to that below, where a sound has most of it. Clean speech reaches about 0 dB in its fricatives."""

NOISY_SNR_DB = 10.0

_NOISE_PERCENTILE, _NOISE_BIAS_DB = 10, 0.5
_FLAT_STEP, _FLAT_HEIGHT, _FLAT_PEAK = 1e-4, 0.95, 0.05


class Problem(StrEnum):
    """What can be wrong with a recording."""

    NO_SPEECH = "no_speech"
    TOO_SHORT = "too_short"
    TOO_QUIET = "too_quiet"
    CLIPPED = "clipped"
    MOSTLY_SILENCE = "mostly_silence"
    NARROW_BAND = "narrow_band"
    NOISY = "noisy"


@dataclass(frozen=True, slots=True)
class InputWarning:
    """One thing that makes the answer to a recording less trustworthy.

    Attributes:
        problem: what it is.
        message: the same in words, with what was measured.
    """

    problem: Problem
    message: str

    def to_dict(self) -> dict[str, str]:
        """The fields as JSON has them."""
        return {"problem": self.problem.value, "message": self.message}

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Findings:
    """What was heard in a recording.

    Attributes:
        speech: where somebody speaks.
        snr_db: estimated ratio of speech to noise; None where there is no speech.
        warnings: in the order of `Problem`.
    """

    speech: tuple[Interval, ...]
    snr_db: float | None
    warnings: tuple[InputWarning, ...]


class InputMeter:
    """Listens to a wave in blocks, and says what was wrong with it.

    Args:
        sample_rate: of the wave, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.voice = VoiceActivity(sample_rate)
        self._sample_rate = sample_rate
        self._samples = 0
        self._full = 0
        self._flat: list[tuple[float, int]] = []

    def feed(self, block: Wave) -> None:
        """Listen to the next block [T]."""
        self._samples += len(block)
        magnitude = np.abs(block)
        peak = float(magnitude.max(initial=0))
        if peak >= CLIPPING_PEAK:
            self._full += int(np.count_nonzero(magnitude >= CLIPPING_PEAK))
        if peak >= _FLAT_PEAK:
            self._flat.append((peak, _flat_samples(block, magnitude, peak)))
        self.voice.feed(block)

    def close(self) -> Findings:
        """The wave is at its end: what was found."""
        self.voice.close()
        frames, active = self.voice.frames(), self.voice.active()
        intervals = tuple(speech(active, frames.periodicity))
        snr_db = estimate_snr(frames.level_db, active) if intervals else None
        found = dict(self._of_speech(frames.level_db[active], frames.high_db[active], intervals, snr_db))
        found |= self._of_wave()
        return Findings(intervals, snr_db, tuple(InputWarning(key, found[key]) for key in Problem if key in found))

    def _of_wave(self) -> dict[Problem, str]:
        duration_s = self._samples / self._sample_rate
        peak = max((peak for peak, _ in self._flat), default=0.0)
        flat = sum(count for of_block, count in self._flat if of_block >= 0.9 * peak)
        share = max(self._full, flat) / max(1, self._samples)
        found = {}
        if duration_s < SHORT_S:
            found[Problem.TOO_SHORT] = f"too short: {duration_s:.2f} s"
        if share > CLIPPED_SHARE:
            found[Problem.CLIPPED] = f"clipped: {share:.1%} of the samples"
        return found

    def _of_speech(
        self, level_db: Values, high_db: Values, intervals: Sequence[Interval], snr_db: float | None
    ) -> dict[Problem, str]:
        if snr_db is None:
            return {Problem.NO_SPEECH: "no speech found"}
        duration_s = self._samples / self._sample_rate
        speech_s = sum(interval.end_s - interval.start_s for interval in intervals)
        speech_db = _mean_db(level_db)
        found = {}
        if speech_db < QUIET_DB:
            found[Problem.TOO_QUIET] = f"too quiet: speech at {speech_db:.0f} dB of full scale"
        if speech_s < SPARSE_SPEECH * duration_s:
            found[Problem.MOSTLY_SILENCE] = f"mostly silence: {speech_s:.1f} s of speech in {duration_s:.1f} s"
        if np.percentile(high_db, 95) < NARROW_DB:
            found[Problem.NARROW_BAND] = "narrow band: nothing above 4 kHz, as on the telephone"
        if snr_db < NOISY_SNR_DB:
            found[Problem.NOISY] = f"noisy: speech about {snr_db:.0f} dB above the noise"
        return found


def estimate_snr(level_db: Values, active: Flags) -> float:
    """Ratio of speech to noise in dB, from the levels of frames, between -10 and 60.

    The noise is the 10th percentile of all levels, plus what a percentile of steady noise lies below its mean; speech is
    the mean power of the active frames without that noise. So it holds for noise that is steady, in recordings with
    pauses of a tenth of their length: there within 3 dB from 0 to 20 dB. Without pauses it says too little.

    Args:
        level_db: of each frame, [N].
        active: which of them hold speech, [N].
    """
    if not active.any():
        return -10.0
    noise = 10 ** ((float(np.percentile(level_db, _NOISE_PERCENTILE)) + _NOISE_BIAS_DB) / 10)
    both = 10 ** (_mean_db(level_db[active]) / 10)
    return float(np.clip(10 * np.log10(max(both - noise, 1e-12) / noise), -10, 60))


def _mean_db(level_db: Values) -> float:
    return float(10 * np.log10(np.mean(10 ** (level_db.astype(np.float64) / 10))))


def _flat_samples(block: Wave, magnitude: Wave, peak: float) -> int:
    """How many samples lie on a flat top, as clipping leaves it even where the level was lowered afterwards."""
    near = np.flatnonzero(magnitude >= _FLAT_HEIGHT * peak)
    near = near[(near > 0) & (near < len(block) - 1)]
    before, after = np.abs(block[near] - block[near - 1]), np.abs(block[near] - block[near + 1])
    return int(np.count_nonzero((before <= _FLAT_STEP * peak) & (after <= _FLAT_STEP * peak)))


def speech_share(wave: Wave, sample_rate: int) -> float:
    """The part of a wave [T] that is speech, 0 to 1."""
    meter = VoiceActivity(sample_rate)
    meter.feed(wave)
    meter.close()
    intervals = speech(meter.active(), meter.frames().periodicity)
    spoken_s = sum(interval.end_s - interval.start_s for interval in intervals)
    return min(1.0, spoken_s / max(FRAME_S, len(wave) / sample_rate))
