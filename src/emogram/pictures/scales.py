"""Ticks: where round numbers lie on the axes of a picture, and how they are written."""

import math

import numpy as np
import numpy.typing as npt

from emogram.spectrograms import Axis

PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_OCTAVES_HZ = tuple(125.0 * 2**octave for octave in range(-2, 9))
_EVEN = 0.01


def row_ticks(axis: Axis, *, most: int) -> list[tuple[float, str]]:
    """Ticks along the rows of a picture: places, which are row numbers and parts of them, and labels, ascending.

    Frequencies stand where they truly lie between the centres of the rows: round steps where rows are evenly spaced in
    Hz, octaves elsewhere.

    Args:
        axis: of the rows.
        most: how many there is room for.
    """
    rows = len(axis.values)
    if axis.quantity == "pitch class":
        step = next(step for step in (1, 2, 3, 4, 6, 12) if rows / step <= most or step == 12)
        return [(float(row), PITCH_CLASSES[row % 12]) for row in range(0, rows, step)]
    if axis.quantity == "coefficient":
        step = max(1, round(_round_step(rows / most)))
        return [(float(row), f"{axis.values[row]:g}") for row in range(0, rows, step)]
    centres_hz = axis.values
    places = _places(centres_hz, _candidates_hz(centres_hz, most))
    return _thinned(places, rows / most)


def time_ticks(duration_s: float, *, most: int) -> list[float]:
    """Round times from 0 to a duration, at most so many and at least one, in seconds."""
    step = _round_step(duration_s / max(1, most - 1))
    return [round(number * step, 9) for number in range(math.floor(duration_s / step + 1e-9) + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10 … (or those divided by powers of ten) that is not below `least`."""
    decade = 10.0 ** math.floor(math.log10(least))
    return next(digit * decade for digit in (1.0, 2.0, 5.0, 10.0) if digit * decade >= least * (1 - 1e-9))


def _candidates_hz(centres_hz: npt.NDArray[np.float64], most: int) -> tuple[float, ...]:
    steps = np.diff(centres_hz)
    if steps.size and np.ptp(steps) <= _EVEN * float(steps.mean()):
        span = float(centres_hz[-1] - centres_hz[0])
        step = _round_step(span / max(1, most - 1))
        return tuple(np.arange(0.0, centres_hz[-1] + 1e-6, step).tolist())
    return _OCTAVES_HZ


def _places(centres_hz: npt.NDArray[np.float64], candidates_hz: tuple[float, ...]) -> list[tuple[float, str]]:
    """Those within the picture, which reaches half a row beyond the outer centres."""
    rows = np.arange(len(centres_hz), dtype=np.float64)
    if len(centres_hz) < 2:
        return [(0.0, f"{centres_hz[0]:.0f}")]
    # One row more on either side, as far away as the next one is.
    around = np.concatenate([[2 * centres_hz[0] - centres_hz[1]], centres_hz, [2 * centres_hz[-1] - centres_hz[-2]]])
    numbers = np.concatenate([[-1.0], rows, [len(rows)]])
    places = [(float(np.interp(hz, around, numbers)), f"{hz:.10g}") for hz in candidates_hz]
    return [(place, label) for place, label in places if -0.5 <= place <= len(rows) - 0.5]


def _thinned(places: list[tuple[float, str]], gap: float) -> list[tuple[float, str]]:
    """From the highest down, those that leave room to the one before."""
    kept: list[tuple[float, str]] = []
    for place, label in reversed(places):
        if not kept or kept[-1][0] - place >= gap:
            kept.append((place, label))
    return kept[::-1]
