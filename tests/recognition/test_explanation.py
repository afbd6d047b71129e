"""Explanations, on models of which one knows what they listen to."""

import json
from typing import Any

import numpy as np
import pytest

from emogram.audio import Wave
from emogram.errors import AudioError, ConfigurationError
from emogram.recognition import Explanation, Recognizer
from emogram.recognition.explanation import LONGEST_S, Check
from tests.recognition.ears import HEARD_HZ, bursts, ear_for_a_moment, ear_for_a_pitch, tone
from tests.recognition.made_up import RATE, noise


@pytest.fixture(scope="module")
def sound() -> Wave:
    return bursts()


@pytest.fixture(scope="module")
def explanation(sound: Wave) -> Explanation:
    return ear_for_a_pitch().explain(sound)


def test_it_points_at_the_pitch_and_the_time_that_count(explanation: Explanation) -> None:
    assert explanation.emotion == "happy"
    assert explanation.probability > 0.9
    [best, *_] = explanation.strongest()
    assert best.low_hz < HEARD_HZ < best.high_hz
    assert best.start_s < 1.125 <= best.end_s
    assert best.evidence > 2
    elsewhere = explanation.evidence.copy()
    band, span = np.unravel_index(int(elsewhere.argmax()), elsewhere.shape)
    elsewhere[max(0, band - 1) : band + 2, max(0, span - 1) : span + 2] = 0
    assert np.abs(elsewhere).max() < 0.1 * best.evidence


def test_it_points_at_the_time_where_only_time_counts(sound: Wave) -> None:
    told = ear_for_a_moment(0.5, 0.75).explain(sound)
    spans = np.abs(told.evidence).sum(axis=0)
    assert told.times_s[spans.argmax()] == pytest.approx(0.5)
    assert spans[[0, *range(5, 8)]].max() < 1e-3 * spans.max()


def test_what_speaks_for_one_emotion_speaks_against_the_others(sound: Wave) -> None:
    told = ear_for_a_pitch().explain(sound, emotion="sad")
    assert told.emotion == "sad"
    assert told.probability < 0.1
    band, span = np.unravel_index(int(np.abs(told.evidence).argmax()), told.evidence.shape)
    assert told.evidence[band, span] < -0.5
    assert told.frequencies_hz[band] < HEARD_HZ < told.frequencies_hz[band + 1]
    assert ear_for_a_pitch().explain(sound, emotion="happy").evidence[band, span] > 0.5


def test_the_check_tells_a_pointer_from_a_guess(explanation: Explanation) -> None:
    check = explanation.check
    assert check.passed
    assert check.strongest < 0.2
    assert min(check.loudest, check.random) > 0.7
    assert not Check(0.1, 0.5, 0.7, 0.4).passed
    assert "without the strongest 10% of the cells" in str(check)


def test_the_model_is_asked_as_often_as_it_says(sound: Wave, monkeypatch: pytest.MonkeyPatch) -> None:
    ear = ear_for_a_pitch()
    asked = []
    answer = Recognizer.probabilities

    def count(self: Recognizer, window: Wave) -> Any:
        asked.append(len(window))
        return answer(self, window)

    monkeypatch.setattr(Recognizer, "probabilities", count)
    told = ear.explain(sound, workers=1)
    assert told.evidence.shape == (12, 8)
    assert len(asked) == told.evaluations == 1 + 12 * 8 + 10
    assert set(asked) == {len(sound)}


def test_workers_change_nothing(sound: Wave, explanation: Explanation) -> None:
    alone = ear_for_a_pitch().explain(sound, workers=1)
    np.testing.assert_array_equal(alone.evidence, explanation.evidence)
    assert alone.to_dict() == explanation.to_dict()


def test_of_a_long_recording_the_window_that_speaks_most_is_explained(sound: Wave) -> None:
    quiet = noise(6.0, 0.002) + tone(700, 0, 6, 0.2, seconds=6.0)
    told = ear_for_a_pitch().explain(np.concatenate([quiet, sound, np.zeros(3 * RATE, np.float32)]))
    assert not told.is_whole
    assert told.duration_s == 11
    assert told.end_s - told.start_s == LONGEST_S
    assert told.start_s <= 7.0 <= told.end_s - 0.25
    [best, *_] = told.strongest()
    assert best.start_s < 7.125 < best.end_s
    assert f"happy {told.probability:.0%} from {told.start_s:.1f} to {told.end_s:.1f} s, above all {best}" in str(told)


def test_a_window_of_silence_is_not_explained() -> None:
    """This ear is sad where nothing sounds, most of all in silence."""
    wave = np.concatenate([np.zeros(12 * RATE, np.float32), noise(6.0, 0.02)])
    told = ear_for_a_moment(0.0, 5.0).explain(wave, emotion="sad")
    assert told.start_s > 7


def test_a_very_short_recording_is_padded_and_explained() -> None:
    told = ear_for_a_moment(0.0, 0.1).explain(noise(0.1, 0.05))
    assert told.evidence.shape == (12, 1)
    assert told.times_s.tolist() == [0, pytest.approx(0.1)]
    assert told.is_whole


def test_another_rate_is_resampled_and_frequencies_stay(sound: Wave) -> None:
    told = ear_for_a_pitch().explain(np.repeat(sound, 2), array_rate=2 * RATE)
    [best, *_] = told.strongest()
    assert best.low_hz < HEARD_HZ < best.high_hz


def test_it_turns_into_json_and_a_line(explanation: Explanation) -> None:
    fields = json.loads(json.dumps(explanation.to_dict(), allow_nan=False))
    assert np.array(fields["evidence"]).shape == (12, 8)
    assert (len(fields["times_s"]), len(fields["frequencies_hz"])) == (9, 13)
    assert fields["check"]["passed"] is True
    assert fields["probabilities"]["happy"] == fields["probability"] == explanation.probability
    assert str(explanation).startswith(f"<array>: happy {explanation.probability:.0%}, above all 1.00 to 1.25 s, ")
    assert "\n" not in str(explanation)


def test_what_cannot_be_explained_is_one_line(sound: Wave) -> None:
    ear = ear_for_a_pitch()
    with pytest.raises(ConfigurationError, match="emotion: 'hapy' is unknown to the model, did you mean 'happy'"):
        ear.explain(sound, emotion="hapy")
    with pytest.raises(ConfigurationError, match="workers: 0 is not 1 or more"):
        ear.explain(sound, workers=0)
    with pytest.raises(AudioError, match="is silent"):
        ear.explain(np.zeros(RATE))
    with pytest.raises(AudioError, match="longer than"):
        ear.explain(np.full(601 * 1000, 0.1), array_rate=1000)
