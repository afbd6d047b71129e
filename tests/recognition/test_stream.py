"""A stream: the same windows however the blocks fall, at any rate, and no more memory with time."""

import tracemalloc

import numpy as np
import pytest
import soxr

from emogram.errors import AudioError, ConfigurationError
from emogram.recognition import Moment, Recognizer, load
from tests.recognition.made_up import RATE, noise, silence, spoken, syllables
from tests.recognition.small_models import LABELS, content, expected


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load(content())


def probabilities(moments: list[Moment]) -> list[list[float]]:
    return [list(moment.probabilities.values()) for moment in moments]


@pytest.mark.parametrize("samples", [1, 3999, 15_999, 16_000, 16_001, 20_000, 20_001, 61_234])
def test_windows_are_the_offline_ones(recognizer: Recognizer, samples: int) -> None:
    wave = noise(samples / RATE) * np.linspace(0, 3, samples, dtype=np.float32)
    stream = recognizer.stream(hop_s=0.25)
    moments = [moment for start in range(0, samples, 777) for moment in stream.feed(wave[start : start + 777])]
    moments += stream.close()
    starts = list(range(0, samples - RATE + 1, 4000))
    if not starts or starts[-1] + RATE < samples:
        starts.append(max(0, samples - RATE))
    assert [round(moment.start_s * RATE) for moment in moments] == starts
    for moment, start in zip(moments, starts, strict=True):
        window = wave[start : start + RATE]
        assert moment.end_s == pytest.approx(min(start + RATE, samples) / RATE)
        padded = np.pad(window, (0, max(0, 4000 - len(window))))
        np.testing.assert_allclose(list(moment.probabilities.values()), expected(padded), atol=1e-5)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_blocks_of_any_size_and_rate_give_the_same(recognizer: Recognizer, rate: int) -> None:
    wave = soxr.resample(spoken(1.5), RATE, rate)
    whole = recognizer.stream(sample_rate=rate)
    reference = [*whole.feed(wave), *whole.close()]
    rng = np.random.default_rng(rate)
    stream = recognizer.stream(sample_rate=rate)
    moments = [
        moment for block in np.split(wave, np.sort(rng.integers(0, len(wave), 60))) for moment in stream.feed(block)
    ]
    moments += stream.close()
    assert [(m.start_s, m.end_s, m.emotion) for m in moments] == [(m.start_s, m.end_s, m.emotion) for m in reference]
    np.testing.assert_allclose(probabilities(moments), probabilities(reference), atol=1e-5)
    assert len(moments) >= 10


def test_it_says_where_nobody_speaks() -> None:
    stream = load(content(uncertain_below=0.35)).stream(hop_s=1.0)
    spoke, silent = stream.feed(np.concatenate([syllables(1), silence(1)]))
    assert spoke.speech > 0.7
    assert not spoke.uncertain
    assert (silent.speech, silent.uncertain) == (0, True)
    assert str(silent) == "1.0 to 2.0 s: no speech"
    assert str(spoke).startswith("0.0 to 1.0 s: ")
    assert list(silent.to_dict()) == [
        *("start_s", "end_s", "emotion", "probabilities", "confidence", "speech", "uncertain")
    ]


def test_integers_and_channels_are_taken(recognizer: Recognizer) -> None:
    wave = noise(1, 0.1)
    [reference] = recognizer.stream().feed(wave)
    whole = np.round(wave * 32768).astype(np.int16)
    [scaled] = recognizer.stream().feed(whole)
    [mixed] = recognizer.stream().feed(np.stack([2 * wave, 0 * wave], axis=1))
    for moment in (scaled, mixed):
        np.testing.assert_allclose(probabilities([moment]), probabilities([reference]), atol=1e-3)


def test_memory_stays_the_same(recognizer: Recognizer) -> None:
    stream = recognizer.stream(sample_rate=48_000, hop_s=1.0)
    block = noise(1, rate=48_000)
    for _ in range(3):
        stream.feed(block)
    tracemalloc.start()
    for _ in range(60):
        stream.feed(block)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
    assert peak < 8_000_000


def test_what_cannot_be_is_refused(recognizer: Recognizer) -> None:
    for arguments, problem in [
        ({"sample_rate": 10}, "sample_rate: 10 is not between"),
        ({"hop_s": 2.0}, "hop_s: 2 is not between"),
        ({"hop_s": float("nan")}, "hop_s: nan"),
        ({"window_s": 0.1}, "window_s: 0.1 is not between 0.25 and 60"),
    ]:
        with pytest.raises(ConfigurationError, match=problem):
            recognizer.stream(**arguments)  # type: ignore[arg-type]
    stream = recognizer.stream()
    with pytest.raises(AudioError, match="finite"):
        stream.feed(np.array([np.nan], np.float32))
    with pytest.raises(AudioError, match="something else"):
        stream.feed(b"bytes")  # type: ignore[arg-type]
    assert stream.close() == []
    assert stream.close() == []
    with pytest.raises(ConfigurationError, match="closed"):
        stream.feed(noise(1))
    assert recognizer.emotions == LABELS
