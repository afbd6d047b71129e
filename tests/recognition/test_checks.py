"""Warnings about the input: each where it belongs and nowhere else; the noise measured."""

import time

import numpy as np
import pytest
import soxr

from emogram.audio import Wave
from emogram.recognition.checks import Findings, InputMeter, InputWarning, Problem, speech_share
from tests.recognition.made_up import RATE, noise, silence, spoken, syllables


def check(wave: Wave, block: int = 80_000) -> Findings:
    meter = InputMeter(RATE)
    for start in range(0, len(wave), block):
        meter.feed(wave[start : start + block])
    return meter.close()


def problems(wave: Wave) -> list[Problem]:
    return [warning.problem for warning in check(wave).warnings]


def good() -> Wave:
    return np.concatenate([silence(0.6), spoken(0.5), silence(0.4)])


def lower_rate(wave: Wave) -> Wave:
    narrow: Wave = soxr.resample(soxr.resample(wave, RATE, 8000), 8000, RATE)
    return narrow


def test_a_good_recording_has_no_warning() -> None:
    findings = check(good())
    assert findings.warnings == ()
    assert len(findings.speech) == 2
    assert findings.snr_db == pytest.approx(60, abs=15)


def test_each_problem_is_found_and_nothing_else() -> None:
    assert problems(good() * np.float32(0.01)) == [Problem.TOO_QUIET]
    assert problems(np.clip(15 * good(), -1, 1)) == [Problem.CLIPPED]
    assert problems(syllables(0.4)) == [Problem.TOO_SHORT]
    assert problems(np.concatenate([silence(12), syllables(1.5)])) == [Problem.MOSTLY_SILENCE]
    assert problems(lower_rate(good())) == [Problem.NARROW_BAND]
    assert problems(good() + noise(5.5, 0.04)) == [Problem.NOISY]
    assert problems(noise(3)) == [Problem.NO_SPEECH]
    assert problems(np.zeros(100, np.float32)) == [Problem.NO_SPEECH, Problem.TOO_SHORT]


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_clipping_is_found_though_it_was_turned_down_or_resampled(gain: float) -> None:
    assert Problem.CLIPPED in problems(np.clip(15 * good(), -1, 1) * np.float32(gain))
    loud = np.concatenate([silence(0.6), syllables(2, 3.0, rate=48_000), silence(0.4)])
    assert Problem.CLIPPED in problems(soxr.resample(np.clip(loud, -1, 1), 48_000, RATE))


def test_full_scale_alone_is_no_clipping() -> None:
    assert problems(good() / np.abs(good()).max()) == []


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_noise_is_measured_within_three_decibels(snr_db: float, seed: int) -> None:
    speech = syllables(3, 0.3, seed=seed)
    sounding = np.abs(speech) > 0
    clean = np.concatenate([np.zeros(RATE, np.float32), speech, np.zeros(RATE // 2, np.float32)])
    power = float(np.mean(np.square(speech[sounding])))
    mixed = clean + noise(4.5, np.sqrt(power / 10 ** (snr_db / 10)), seed=seed)
    assert check(mixed).snr_db == pytest.approx(snr_db, abs=3)


def test_blocks_change_nothing() -> None:
    wave = np.clip(15 * good(), -1, 1)
    assert check(wave, 999).speech == check(wave).speech
    assert check(wave, 8000).warnings == check(wave).warnings


def test_the_share_of_speech() -> None:
    assert speech_share(np.concatenate([silence(1), syllables(1), silence(1)]), RATE) == pytest.approx(0.4, abs=0.1)
    assert speech_share(noise(1), RATE) == 0


def test_a_warning_prints_and_converts() -> None:
    warning = InputWarning(Problem.NOISY, "noisy: speech about 4 dB above the noise")
    assert str(warning) == warning.message
    assert warning.to_dict() == {"problem": "noisy", "message": warning.message}


def test_listening_costs_little() -> None:
    """5 ms on a quiet machine is the aim, measured in `docs/results/recognition.md`; the bound suits a busy one."""
    wave = good()[: round(3.5 * RATE)]
    best = float("inf")
    for _ in range(10):
        start = time.process_time()
        check(wave)
        best = min(best, time.process_time() - start)
    assert best < 0.02
