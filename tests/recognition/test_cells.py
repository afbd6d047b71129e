"""Cells of time and frequency: they make up the wave, and taking one out changes nothing else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emogram.audio import Wave
from emogram.recognition.cells import Cells
from tests.recognition.made_up import RATE, noise

SECONDS = 2.0


def tone(hz: float, start_s: float, end_s: float, level: float = 0.3) -> Wave:
    time_s = np.arange(round(SECONDS * RATE)) / RATE
    inside = (time_s >= start_s) & (time_s < end_s)
    return (level * np.sin(2 * np.pi * hz * time_s) * inside).astype(np.float32)


def cell_of(cells: Cells, hz: float, time_s: float) -> tuple[int, int]:
    return int(np.searchsorted(cells.frequencies_hz, hz)) - 1, int(np.searchsorted(cells.times_s, time_s)) - 1


def only(cells: Cells, place: tuple[int, int]) -> NDArray[np.float64]:
    taken = np.zeros(cells.shape)
    taken[place] = 1
    return taken


def rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


def test_edges_cover_the_wave_and_its_frequencies() -> None:
    cells = Cells(noise(SECONDS), RATE, bands=12, spans=8)
    assert cells.shape == (12, 8)
    assert (cells.times_s[0], cells.times_s[-1]) == (0, SECONDS)
    assert cells.frequencies_hz[[0, -1]] == pytest.approx([0, RATE / 2])
    assert (np.diff(cells.times_s) > 0).all()
    widths = np.diff(cells.frequencies_hz)
    assert (np.diff(widths) > 0).all()  # even on the mel scale, so ever wider in Hz


def test_without_nothing_it_is_the_wave_and_cells_add_up() -> None:
    wave = noise(SECONDS) + tone(2000, 0.5, 1.0)
    cells = Cells(wave, RATE, bands=12, spans=8)
    np.testing.assert_array_equal(cells.without(np.zeros(cells.shape)), wave)
    one, other = only(cells, (3, 2)), only(cells, (4, 2))
    removed = [wave - cells.without(taken) for taken in (one, other, one + other, 0.5 * one)]
    np.testing.assert_allclose(removed[0] + removed[1], removed[2], atol=1e-5)
    np.testing.assert_allclose(removed[0] / 2, removed[3], atol=1e-6)


def test_without_any_cell_the_floor_is_left() -> None:
    hiss = noise(SECONDS, 0.003)
    wave = hiss + tone(500, 0.4, 0.9) + tone(3000, 1.2, 1.6)
    cells = Cells(wave, RATE, bands=12, spans=8)
    left = cells.without(np.ones(cells.shape))
    assert 0.2 * rms(hiss) < rms(left) < 1.2 * rms(hiss)


def test_a_tone_goes_with_its_cells_and_the_other_stays() -> None:
    low, high = tone(500, 0.5, 0.75), tone(3000, 0.5, 0.75)
    wave = noise(SECONDS, 0.001) + low + high
    cells = Cells(wave, RATE, bands=12, spans=8)
    band, span = cell_of(cells, 500, 0.6)
    taken = np.zeros(cells.shape)
    taken[band - 1 : band + 2, span - 1 : span + 2] = 1  # the fades of the neighbours hold the rest of it
    left = cells.without(taken)
    assert rms(left - high) < 0.1 * rms(low)
    outside = np.arange(len(wave)) / RATE > 1.1
    np.testing.assert_allclose(left[outside], wave[outside], atol=2e-3)


def test_the_energy_is_where_the_tone_is() -> None:
    cells = Cells(noise(SECONDS, 0.001) + tone(1100, 1.25, 1.5), RATE, bands=12, spans=8)
    assert cells.energy[cell_of(cells, 1100, 1.3)] == cells.energy.max()


@pytest.mark.parametrize(
    ("samples", "rate", "spans"), [(1, 16_000, 1), (37, 16_000, 2), (5000, 8000, 3), (4097, 44_100, 1)]
)
def test_any_length_and_rate_holds(samples: int, rate: int, spans: int) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    cells = Cells(wave, rate, bands=4, spans=spans)
    left = cells.without(np.ones(cells.shape))
    assert left.shape == wave.shape
    assert left.dtype == np.float32
    assert np.isfinite(left).all()
    assert np.isfinite(cells.energy).all()


def test_digital_silence_has_nothing_to_take() -> None:
    cells = Cells(np.zeros(RATE, np.float32), RATE, bands=12, spans=4)
    assert not cells.without(np.ones(cells.shape)).any()
    assert not cells.energy.any()
