"""Pictures of a clip in a terminal: half blocks in colour, or plain characters where there is no colour."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from emogram.pictures.scales import row_ticks, time_ticks
from emogram.pictures.views import Picture, Shown, Wave, limits, side_by_side

_RAMP = " .:-=+*#%@"
_GUTTER = 7
_WAVE_LINES = 3
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_PLAIN_EIGHTHS = " ...:::##"
_WAVE_COLOUR = Color.from_rgb(86, 180, 233)
_SPELT_OUT = str.maketrans({"♯": "#", "²": "2", "×": "x", "±": "+-", "−": "-"})
_BAR = 16
_MOST_COLUMNS = 200
_LEVELS, _SIGNED = "magma", "RdBu_r"

Pixels = npt.NDArray[np.float64]
"""[rows, columns], 0 to 1 along the colours, the highest row first."""


def draw(console: Console, clips: Sequence[Shown], *, sample_rate: int) -> None:
    """Print clips and their versions one below the other, each as its wave and its pictures; a kind shares its colours.

    Args:
        console: knows the terminal's width and colours.
        clips: with the same types each.
        sample_rate: Hz.
    """
    versions, looks = side_by_side(clips)
    columns = max(8, min(console.width - _GUTTER - 1, _MOST_COLUMNS))
    shared = [limits(same) for same in zip(*looks, strict=True)]
    longest_s = max(len(version.wave) for version in versions) / sample_rate
    pictures = sum(map(len, looks))
    height = 16 if pictures == 1 else 11 if pictures <= 4 else 8
    for version, its in zip(versions, looks, strict=True):
        print_line(console, Text(version.title, "bold"))
        used = max(1, round(columns * len(version.wave) / sample_rate / longest_s))
        for line in _wave_lines(console, version.wave, used):
            print_line(console, line)
        for picture, ends in zip(its, shared, strict=True):
            print_line(console, _heading(console, picture, ends))
            for line in _picture_lines(console, picture, ends, used, height):
                print_line(console, line)
        print_line(console, _time_line(longest_s, columns))


def has_colours(console: Console) -> bool:
    """Whether half blocks in colours can be told apart there. NO_COLOR says no (no-color.org), and so does a dumb terminal."""
    return has_unicode(console) and not console.no_color and console.color_system in {"truecolor", "256"}


def has_unicode(console: Console) -> bool:
    """Whether block characters can be shown there."""
    return "utf" in (console.encoding or "").lower()


def print_line(console: Console, line: Text) -> None:
    """Print a line, cut at the edge, spelt in ASCII where the terminal knows no other characters."""
    if not has_unicode(console):
        line = Text(line.plain.translate(_SPELT_OUT).encode("ascii", "replace").decode())
    console.print(line, no_wrap=True, overflow="crop", crop=True, highlight=False)


def _heading(console: Console, picture: Picture, ends: tuple[float, float]) -> Text:
    """The name, and the colours from the lowest to the highest value."""
    heading = Text(picture.title, "bold")
    heading.append(f"  {ends[0]:.3g} ", "not bold")
    if has_colours(console):
        scale = _colours(np.linspace(0, 1, _BAR)[None], picture)[0]
        for colour in scale:
            heading.append("█", Style(color=colour))
    else:
        heading.append(_RAMP, "not bold")
    heading.append(f" {ends[1]:.3g} {picture.unit}", "not bold")
    return heading


def _picture_lines(
    console: Console, picture: Picture, ends: tuple[float, float], columns: int, height: int
) -> Iterator[Text]:
    """Lines of text, the highest row first, with the rows' ticks before them."""
    in_colour = has_colours(console)
    pixels_high = 2 * height if in_colour else height
    scaled = np.clip((picture.values - ends[0]) / (ends[1] - ends[0]), 0, 1)
    pixels = _resized(scaled, pixels_high, columns)[::-1]
    rows = picture.values.shape[0]
    ticks = {
        # Row 0 is the lowest: its middle lies half a row above the bottom edge.
        height - 1 - min(height - 1, int((place + 0.5) / rows * height)): label
        for place, label in row_ticks(picture.axis, most=max(2, height // 2))
    }
    for number in range(height):
        line = Text(_gutter(ticks.get(number, "")))
        if in_colour:
            upper, lower = _colours(pixels[2 * number : 2 * number + 2], picture)
            for above, under in zip(upper, lower, strict=True):
                line.append("▀", Style(color=above, bgcolor=under))
        else:
            line.append("".join(_RAMP[int(value * (len(_RAMP) - 1) + 0.5)] for value in pixels[number]).rstrip())
        yield line


def _wave_lines(console: Console, wave: Wave, columns: int) -> Iterator[Text]:
    """How far the wave reaches from zero, column by column, in eighths of a line."""
    edges = np.linspace(0, len(wave), columns + 1).astype(int)[:-1]
    peaks = np.maximum.reduceat(np.abs(wave), np.minimum(edges, len(wave) - 1))
    highest = float(peaks.max()) or 1.0
    in_colour = has_colours(console)
    glyphs, style = (_EIGHTHS, Style(color=_WAVE_COLOUR)) if in_colour else (_PLAIN_EIGHTHS, Style())
    eighths = np.maximum(1, np.ceil(peaks / highest * 8 * _WAVE_LINES).astype(int))
    for number in reversed(range(_WAVE_LINES)):
        line = Text(_gutter({_WAVE_LINES - 1: f"{highest:.2g}", 0: "0"}.get(number, "")))
        cells = np.clip(eighths - 8 * number, 0, 8).tolist()
        line.append("".join(glyphs[cell] for cell in cells).rstrip(), style)
        yield line


def _time_line(longest_s: float, columns: int) -> Text:
    """Times under the columns that they belong to."""
    cells = [" "] * (columns + 1)
    for tick in time_ticks(longest_s, most=max(2, columns // 9)):
        label = f"{tick:g}"
        # The first digit stands under its column, but for a label that would run over the edge.
        start = min(round(tick / longest_s * columns), columns - len(label))
        cells[start : start + len(label)] = list(label)
    line = "".join(cells).rstrip()
    return Text(_gutter("s") + line)


def _gutter(label: str) -> str:
    return f"{label:>{_GUTTER - 1}} "


def _colours(values: Pixels, picture: Picture) -> list[list[Color]]:
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import

    shades = colormaps[_SIGNED if picture.signed else _LEVELS](values, bytes=True)
    return [[Color.from_rgb(*map(int, shade[:3])) for shade in row] for row in shades]


def _resized(values: Pixels, rows: int, columns: int) -> Pixels:
    """[F, N] to [rows, columns] by means over equal shares, which is what a small print of a large picture shows."""
    return _shares(len(values), rows) @ values @ _shares(values.shape[1], columns).T


def _shares(given: int, wanted: int) -> Pixels:
    """[wanted, given], row i the part of each given cell that lies under wanted cell i, summing to 1."""
    edges = np.linspace(0, given, wanted + 1)
    starts, stops = edges[:-1, None], edges[1:, None]
    cells = np.arange(given)[None, :]
    overlap = np.clip(np.minimum(stops, cells + 1) - np.maximum(starts, cells), 0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True))
