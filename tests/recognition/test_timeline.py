"""The timeline: segments where somebody speaks, cut where the emotion changes; constant memory; every format."""

import csv
import io
import json
import re
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from emogram import audio
from emogram.audio import Wave
from emogram.errors import ConfigurationError
from emogram.recognition import Problem, Recognizer, Segment, Timeline, load
from emogram.recognition.timeline import TimelineSettings, listen_through
from emogram.recognition.timeline_formats import clock
from emogram.recognition.timeline_segments import Answers, cut
from emogram.recognition.voice import Interval
from tests.recognition.made_up import RATE, noise, silence, spoken, syllables
from tests.recognition.small_models import LABELS, content, expected


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load(content())


@pytest.fixture(scope="module")
def conversation() -> Wave:
    """Quiet, then a pause, then quiet and loud without one, then a pause."""
    quiet, loud = syllables(3, 0.02), syllables(4, 0.9)
    return np.concatenate([silence(2), quiet, silence(2), quiet, loud, silence(3)])


def test_speech_is_cut_where_the_emotion_changes(recognizer: Recognizer, conversation: Wave) -> None:
    timeline = recognizer.timeline(conversation, min_segment_s=1.5)
    assert [segment.emotion for segment in timeline.segments] == ["neutral", "neutral", "sad"]
    starts = [segment.start_s for segment in timeline.segments]
    ends = [segment.end_s for segment in timeline.segments]
    assert starts == pytest.approx([2, 7, 10], abs=0.8)
    assert ends == pytest.approx([5, 10, 14], abs=0.8)
    assert ends[1] == starts[2]
    assert timeline.duration_s == pytest.approx(17)
    assert timeline.speech_s == pytest.approx(10, abs=1)
    assert sum(timeline.shares.values()) == pytest.approx(1)
    for segment in timeline.segments:
        assert sum(segment.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert segment.confidence == max(segment.probabilities.values())


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_nothing(recognizer: Recognizer, conversation: Wave, workers: int) -> None:
    reference = recognizer.timeline(conversation, workers=2)
    assert recognizer.timeline(conversation, workers=workers) == reference


def test_without_smoothing_a_segment_is_the_mean_of_its_windows(recognizer: Recognizer) -> None:
    wave = syllables(4, 0.3)
    timeline = recognizer.timeline(wave, window_s=1.0, hop_s=1.0, smoothing_s=0)
    [segment] = timeline.segments
    cells = [expected(wave[start : start + RATE]) for start in range(0, len(wave), RATE)]
    np.testing.assert_allclose(list(segment.probabilities.values()), np.mean(cells, axis=0), atol=0.01)


def test_silence_and_noise_say_that_nobody_speaks(recognizer: Recognizer) -> None:
    for wave in (np.zeros(3 * RATE, np.float32), noise(3)):
        timeline = recognizer.timeline(wave)
        assert timeline.segments == ()
        assert timeline.warnings[0].problem is Problem.NO_SPEECH
        assert "no speech found" in str(timeline)
        assert timeline.shares == dict.fromkeys(LABELS, 0.0)


def test_short_recordings_have_a_timeline(recognizer: Recognizer) -> None:
    [segment] = recognizer.timeline(syllables(0.4)).segments
    assert [segment.start_s, segment.end_s] == pytest.approx([0.0, 0.4])


def test_half_an_hour_takes_constant_memory(recognizer: Recognizer) -> None:
    minute = np.concatenate([spoken(2, 3, 5, 8, speech_s=6), silence(12)])

    def long(minutes: int) -> Iterator[Wave]:
        for _ in range(minutes):
            yield from np.split(minute, 6)

    settings = TimelineSettings.make(recognizer.info, None, 1.0, None, 0.5)
    peaks = []
    for minutes in (3, 30):
        tracemalloc.start()
        timeline = listen_through(
            "long", long(minutes), recognizer._session, recognizer.info, settings=settings, workers=1
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert timeline.duration_s == pytest.approx(1800)
    assert len(timeline.segments) >= 150
    assert peaks[1] - peaks[0] < 8_000_000  # the wave would be 115 MB


def test_windows_without_speech_are_not_looked_at(conversation: Wave) -> None:
    asked: list[int] = []
    recognizer = load(content())
    ask = recognizer._session.probabilities
    recognizer._session.probabilities = lambda waves: asked.append(len(waves)) or ask(waves)  # type: ignore[method-assign, func-returns-value]
    recognizer.timeline(np.concatenate([conversation, silence(60)]), hop_s=1.0, workers=1)
    assert 10 <= sum(asked) <= 20


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"hop_s": 2.0}, "hop_s: 2 is not between 0.01 s and the window, 1 s"),
        ({"window_s": 100.0}, "window_s: 100 is not between"),
        ({"smoothing_s": -1.0}, "smoothing_s: -1"),
        ({"min_segment_s": float("nan")}, "min_segment_s: nan"),
        ({"workers": 0}, "workers: 0 is not 1 or more"),
    ],
)
def test_lengths_that_cannot_be_are_refused(recognizer: Recognizer, arguments: dict[str, float], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        recognizer.timeline(noise(1), **arguments)  # type: ignore[arg-type]


def answers(*winners: int) -> Answers:
    kept = Answers(1.0, 3)
    for cell, winner in enumerate(winners):
        kept.add(cell, cell + 1, np.eye(3, dtype=np.float32)[winner] * 0.7 + 0.1)
    return kept


def test_short_changes_are_not_told() -> None:
    speech = [Interval(0.0, 6.0)]
    found = cut(answers(0, 0, 1, 0, 2, 2), speech, 6.0, 0.0, 1.5)
    assert [(start, end, int(mean.argmax())) for start, end, mean in found] == [(0, 4, 0), (4, 6, 2)]
    found = cut(answers(0, 0, 1, 0, 2, 2), speech, 6.0, 0.0, 0.5)
    assert [int(mean.argmax()) for _, _, mean in found] == [0, 1, 0, 2]


def test_smoothing_outvotes_a_single_window() -> None:
    means, cells = answers(0, 0, 1, 0, 0).smoothed(4.0)
    assert cells.tolist() == [0, 1, 2, 3, 4]
    assert means.argmax(axis=1).tolist() == [0] * 5
    np.testing.assert_allclose(means[2, 1], 0.1 + 0.7 / 3)
    np.testing.assert_allclose(means.sum(axis=1), 1)


def test_a_cell_without_an_answer_takes_the_nearest() -> None:
    kept = Answers(1.0, 3)
    kept.add(5, 6, np.array([0, 1, 0], np.float32))
    [(start, end, mean)] = cut(kept, [Interval(1.0, 8.0)], 7.5, 0.0, 0.5)
    assert (start, end, mean.tolist()) == (1.0, 7.5, [0, 1, 0])


@pytest.fixture
def timeline() -> Timeline:
    settings = TimelineSettings(window_s=1, hop_s=0.5, smoothing_s=1, min_segment_s=0.5)
    segments = (
        Segment(0.5, 2.0, "sad", {"happy": 0.2, "sad": 0.8}, 0.8, False),
        Segment(3661.25, 3662.5, "happy", {"happy": 0.55, "sad": 0.45}, 0.55, True),
    )
    return Timeline(
        file="a,b.wav", duration_s=4000, model="m", emotions=("happy", "sad"), segments=segments, warnings=(),
        settings=settings, envelope=(0.1,),
    )  # fmt: skip


def test_it_is_written_as_subtitles(timeline: Timeline) -> None:
    assert timeline.to_srt() == (
        "1\n00:00:00,500 --> 00:00:02,000\nsad 80%\n\n2\n01:01:01,250 --> 01:01:02,500\nhappy 55% (uncertain)\n\n"
    )
    assert timeline.to_vtt() == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nsad 80%\n\n01:01:01.250 --> 01:01:02.500\nhappy 55% (uncertain)\n\n"
    )


def test_it_is_written_as_labels_table_csv_and_json(timeline: Timeline) -> None:
    assert timeline.to_audacity().splitlines()[0] == "0.500000\t2.000000\tsad 80%"
    rows = list(csv.DictReader(io.StringIO(timeline.to_csv())))
    assert [(row["file"], row["start_s"], row["uncertain"], row["happy"]) for row in rows] == [
        ("a,b.wav", "0.500", "false", "0.200000"),
        ("a,b.wav", "3661.250", "true", "0.550000"),
    ]
    fields = json.loads(timeline.to_json())
    assert fields == timeline.to_dict()
    assert fields["segments"][1]["emotion"] == "happy"
    assert fields["shares"]["sad"] == pytest.approx(1.5 / 2.75)
    head, titles, first, second = str(timeline).splitlines()
    assert head == "a,b.wav: 2.8 s of speech in 1:06:40.0"
    assert titles.split() == ["start", "end", "emotion", "confidence", "next"]
    assert re.fullmatch(r" +0:00\.5 +0:02\.0  sad +80%  happy 20%", first)
    assert second.endswith("55%  sad 45%  uncertain")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00.0"), (59.96, "1:00.0"), (3600, "1:00:00.0"), (7.25, "0:07.2")]
)
def test_the_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_the_envelope_is_the_peak_of_each_piece(recognizer: Recognizer) -> None:
    wave = syllables(1.02)
    step = round(0.05 * RATE)
    wanted = [float(np.abs(wave[start : start + step]).max()) for start in range(0, len(wave), step)]
    assert list(recognizer.timeline(wave).envelope) == pytest.approx(wanted)
    assert audio.SAMPLE_RATE == RATE
