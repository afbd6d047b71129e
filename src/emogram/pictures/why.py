"""An explanation in a terminal: the spectrogram with what spoke for the emotion and against it, and the probabilities."""

from collections.abc import Iterator

import numpy as np
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from emogram.audio import Wave
from emogram.evaluation.explained import TICKS_HZ, overlay, window_of, worth
from emogram.pictures.scales import time_ticks
from emogram.pictures.terminal import has_colours, has_unicode, print_line
from emogram.recognition import Explanation
from emogram.recognition.cells import mel

_GUTTER = 7
_LINES = 16
_MOST_COLUMNS = 120
_BAR = 30
_FOR, _AGAINST = "rgb(213,94,0)", "rgb(0,114,178)"
_LEVELS_FOR, _LEVELS_AGAINST = " .+*#", " .-=="
"""A cell that spoke for it or against it, where there are no colours, by quarters of the strongest."""


def draw_why(console: Console, explanation: Explanation, wave: Wave, *, sample_rate: int) -> None:
    """Print an explanation.

    Args:
        console: knows the terminal's width and colours.
        explanation: of a recording.
        wave: the whole recording, [T].
        sample_rate: Hz.
    """
    columns = max(8, min(console.width - _GUTTER - 1, _MOST_COLUMNS))
    console.print(Text(str(explanation), "bold"), highlight=False)
    print_line(console, _key(console))
    window = window_of(explanation, wave, sample_rate)
    draw = _in_colours if has_colours(console) else _in_characters
    for label, line in zip(_labels(explanation), draw(explanation, window, sample_rate, columns), strict=True):
        print_line(console, Text(f"{label:>{_GUTTER - 1}} ") + line)
    print_line(console, _time_line(explanation, columns))
    for line in _bars(console, explanation):
        print_line(console, line)
    console.print(Text(worth(explanation)), highlight=False)


def _key(console: Console) -> Text:
    """What stands for what."""
    if has_colours(console):
        return Text.assemble(" " * _GUTTER, ("██", _FOR), " spoke for it  ", ("██", _AGAINST), " spoke against it")
    return Text(f"{'':{_GUTTER}}{_LEVELS_FOR[1:]} spoke for it  {_LEVELS_AGAINST[1:-1]} spoke against it")


def _in_colours(explanation: Explanation, window: Wave, sample_rate: int, columns: int) -> Iterator[Text]:
    """Two pixels a character, the highest first."""
    image = overlay(explanation, window, sample_rate, rows=2 * _LINES, columns=columns)[::-1]
    for upper, lower in zip(image[::2], image[1::2], strict=True):
        line = Text()
        for above, under in zip(upper.tolist(), lower.tolist(), strict=True):
            line.append("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*under)))
        yield line


def _in_characters(explanation: Explanation, window: Wave, sample_rate: int, columns: int) -> Iterator[Text]:
    """The evidence alone: a character cannot show a spectrogram beside it."""
    del window, sample_rate
    bands, spans = explanation.evidence.shape
    largest = float(np.abs(explanation.evidence).max()) or 1.0
    rows = np.minimum(np.arange(_LINES) * bands // _LINES, bands - 1)[::-1]
    places = np.arange(columns) * spans // columns
    for row in rows:
        strengths = explanation.evidence[row][places] / largest
        yield Text("".join(_character(strength) for strength in strengths.tolist()).rstrip())


def _character(strength: float) -> str:
    levels = _LEVELS_FOR if strength > 0 else _LEVELS_AGAINST
    return levels[min(len(levels) - 1, round(abs(strength) * (len(levels) - 1)))]


def _labels(explanation: Explanation) -> list[str]:
    """The frequency beside each line, the highest first; most lines have none."""
    labels = [""] * _LINES
    highest = float(mel(explanation.frequencies_hz[-1]))
    for hz in TICKS_HZ[1:]:
        if hz <= explanation.frequencies_hz[-1]:
            labels[_LINES - 1 - min(_LINES - 1, int(float(mel(hz)) / highest * _LINES))] = f"{hz}"
    return labels


def _time_line(explanation: Explanation, columns: int) -> Text:
    """Times of the recording under the columns that they belong to."""
    length_s = explanation.end_s - explanation.start_s
    cells = [" "] * (columns + 1)
    for tick in time_ticks(length_s, most=max(2, columns // 9)):
        label = f"{explanation.start_s + tick:.4g}"
        start = max(0, min(round(tick / length_s * columns), columns - len(label)))
        cells[start : start + len(label)] = list(label)
    return Text(f"{'s':>{_GUTTER - 1}} " + "".join(cells).rstrip())


def _bars(console: Console, explanation: Explanation) -> Iterator[Text]:
    width = max(map(len, explanation.probabilities))
    full = "█" if has_unicode(console) else "#"
    for emotion, probability in explanation.probabilities.items():
        bar = full * round(_BAR * probability)
        style = _FOR if emotion == explanation.emotion and has_colours(console) else ""
        yield Text(f"{emotion:>{width}}  ") + Text(f"{bar:<{_BAR}}", style) + Text(f" {probability:>4.0%}")
