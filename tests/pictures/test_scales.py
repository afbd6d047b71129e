"""Ticks stand where their numbers truly lie."""

import numpy as np
import pytest

from emogram.pictures.scales import row_ticks, time_ticks
from emogram.spectrograms import SPECTROGRAMS, Axis

RATE = 16_000


@pytest.mark.parametrize("name", SPECTROGRAMS)
@pytest.mark.parametrize("most", [2, 5, 9])
def test_every_tick_of_every_type_is_at_its_value(name: str, most: int) -> None:
    axis = SPECTROGRAMS[name].model_validate({}).build(RATE).axis
    ticks = row_ticks(axis, most=most)
    places = [place for place, _ in ticks]
    assert 1 <= len(ticks) <= most + 1
    assert places == sorted(places)
    assert all(-0.5 <= place <= len(axis.values) - 0.5 for place in places)
    if axis.quantity == "frequency in Hz":
        rows = np.arange(len(axis.values))
        inside = [(place, label) for place, label in ticks if 0 <= place <= rows[-1]]
        assert inside
        for place, label in inside:
            assert float(label) == pytest.approx(np.interp(place, rows, axis.values), rel=1e-6, abs=1e-6)


def test_even_rows_have_even_ticks_and_uneven_rows_octaves() -> None:
    assert [label for _, label in row_ticks(Axis(np.linspace(0, 8000, 257)), most=6)] == [
        "0",
        "2000",
        "4000",
        "6000",
        "8000",
    ]
    logarithmic = row_ticks(Axis(55 * 2 ** (np.arange(84) / 12)), most=9)
    assert [label for _, label in logarithmic] == ["62.5", "125", "250", "500", "1000", "2000", "4000"]
    assert np.diff([place for place, _ in logarithmic]) == pytest.approx(12)


def test_pitch_classes_have_their_names_and_coefficients_their_numbers() -> None:
    classes = Axis(np.arange(12.0), "pitch class")
    assert row_ticks(classes, most=12)[9] == (9.0, "A")
    assert [label for _, label in row_ticks(classes, most=6)] == ["C", "D", "E", "F♯", "G♯", "A♯"]
    assert row_ticks(Axis(np.arange(20.0), "coefficient"), most=4) == [(0, "0"), (5, "5"), (10, "10"), (15, "15")]


def test_a_single_row_has_its_tick() -> None:
    assert row_ticks(Axis(np.array([440.0])), most=5) == [(0.0, "440")]


@pytest.mark.parametrize(
    ("duration_s", "most", "ticks"),
    [
        (3.63, 6, [0, 1, 2, 3]),
        (0.02, 3, [0, 0.01, 0.02]),
        (600.0, 7, [0, 100, 200, 300, 400, 500, 600]),
        (1.0, 2, [0, 1]),
    ],
)
def test_times_are_round(duration_s: float, most: int, ticks: list[float]) -> None:
    assert time_ticks(duration_s, most=most) == pytest.approx(ticks)
