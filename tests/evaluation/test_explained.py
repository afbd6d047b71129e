"""The picture of an explanation: colours where the evidence is, grey where the sound is, and words that are true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emogram.evaluation.explained import draw, overlay, window_of, worth
from emogram.evaluation.style import write
from emogram.recognition import Explanation
from emogram.recognition.cells import mel
from emogram.recognition.explanation import Check
from tests.recognition.ears import HEARD_HZ, bursts, ear_for_a_pitch
from tests.recognition.made_up import RATE


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return ear_for_a_pitch().explain(bursts())


def place(explanation: Explanation, hz: float, time_s: float, rows: int, columns: int) -> tuple[int, int]:
    row = int(float(mel(hz) / mel(explanation.frequencies_hz[-1])) * rows)
    return row, int((time_s - explanation.start_s) / (explanation.end_s - explanation.start_s) * columns)


def test_what_spoke_for_it_is_orange_and_all_else_grey(explanation: Explanation) -> None:
    image = overlay(explanation, bursts(), RATE, rows=120, columns=200).astype(int)
    assert image.shape == (120, 200, 3)
    red, green, blue = image[place(explanation, HEARD_HZ, 1.125, 120, 200)]
    assert red > green > blue
    red, green, blue = image[place(explanation, 500, 0.6, 120, 200)]
    assert max(red, green, blue) - min(red, green, blue) < 5
    assert red < 150  # there is a loud tone
    assert image[place(explanation, 7000, 0.1, 120, 200)].min() > 200


def test_what_spoke_against_it_is_blue(explanation: Explanation) -> None:
    against = replace(explanation, evidence=-explanation.evidence)
    red, green, blue = overlay(against, bursts(), RATE, rows=60, columns=90)[
        place(explanation, HEARD_HZ, 1.125, 60, 90)
    ]
    assert blue > green > red


def test_without_evidence_all_is_grey(explanation: Explanation) -> None:
    none = replace(explanation, evidence=np.zeros_like(explanation.evidence))
    assert np.ptp(overlay(none, bursts(), RATE, rows=60, columns=90), axis=2).max() == 0


def test_only_the_window_is_drawn(explanation: Explanation) -> None:
    part = replace(explanation, start_s=0.5, end_s=1.5)
    np.testing.assert_array_equal(window_of(part, bursts(), RATE), bursts()[8000:24_000])


def test_the_figure_is_drawn_the_same_every_time(explanation: Explanation, tmp_path: Path) -> None:
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        figure = draw(explanation, bursts(), RATE, title="clip")
        write(figure, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    picture, bars = figure.axes
    assert picture.get_title(loc="left") == "clip: what spoke for happy"
    assert [label.get_text() for label in bars.get_yticklabels()] == list(explanation.probabilities)
    assert picture.get_xlim() == (0, 2)


def test_a_name_is_no_formula(explanation: Explanation, tmp_path: Path) -> None:
    write(draw(explanation, bursts(), RATE, title=r"$\no_formula$"), tmp_path / "picture.png")


def test_words_say_what_it_is_worth(explanation: Explanation) -> None:
    assert worth(explanation).startswith("Happy 100%; without the strongest 10% of the cells ")
    assert worth(explanation).count(".") == 1
    broad = replace(explanation, check=Check(0.1, 0.6, 0.4, 0.9), duration_s=20.0)
    assert "no small part decides it. One window of 20.0 s is shown" in worth(broad)
    assert worth(replace(explanation, check=Check(0.1, 0.9, 0.4, 0.8))).endswith("the picture says nothing.")
