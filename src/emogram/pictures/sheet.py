"""A sheet: waves and spectrograms of clips as one labelled figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emogram.evaluation.style import house_figure
from emogram.pictures.panels import Panel, draw_panel, label_time
from emogram.pictures.views import Picture, Shown, Version, Wave, limits, side_by_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEAD, _FOOT = 0.72, 0.80, 0.30, 0.08, 0.28, 0.38
"""Inches around each panel for its labels, its colour bar and its title; above and below the whole sheet."""
_GAP = 0.22
"""Inches between panels that share both."""
_WIDTHS = {1: 6.8, 2: 4.0, 3: 3.1, 4: 2.8}
_WAVE_HEIGHT, _TALL, _LOW = 0.62, 1.9, 1.25
_MOST_COLUMNS = 4

COLOUR_BAR = "colour bar"
"""Label of the axes that hold one."""


_Row = list[Panel | None]


def sheet(clips: Sequence[Shown], *, sample_rate: int) -> "Figure":
    """One clip by its spectrogram types, or several clips or versions of a clip side by side.

    Args:
        clips: with the same types each.
        sample_rate: Hz.
    """
    if len(clips) == 1 and len(clips[0].versions) == 1:
        return _catalogue(clips[0], sample_rate)
    versions, looks = side_by_side(clips)
    return _comparison(versions, looks, sample_rate, title=clips[0].name if len(clips) == 1 else "")


def _catalogue(clip: Shown, sample_rate: int) -> "Figure":
    """Each type with its own colours, channels beside each other; the wave above every column."""
    types = clip.looks[0]
    columns = _columns([len(pictures) for pictures in types])
    rows: list[list[Panel]] = []
    for pictures in sorted(types, key=lambda pictures: len(pictures) > 1):
        panels = [Panel(picture, limits([picture]), picture.title) for picture in pictures]
        for at in range(0, len(panels), columns):
            together = panels[at : at + columns]
            room = next((row for row in rows if len(row) + len(together) <= columns), None)
            if room is None:
                rows.append(together)
            else:
                room += together
    wave = clip.versions[0].wave
    waves = [Panel(wave, _reach([wave]))] * columns
    return _draw(
        [_filled(row, columns) for row in [waves, *rows]], sample_rate=sample_rate, title=clip.name, apart=True
    )


def _comparison(
    versions: Sequence[Version], looks: Sequence[Sequence[Picture]], sample_rate: int, *, title: str
) -> "Figure":
    """A column each with its wave, and the same colours for all of a row; more than four versions go on below."""
    columns = -(-len(versions) // -(-len(versions) // _MOST_COLUMNS))
    shared = [limits(same) for same in zip(*looks, strict=True)]
    reach = _reach([version.wave for version in versions])
    rows: list[_Row] = []
    for at in range(0, len(versions), columns):
        chosen = range(at, min(at + columns, len(versions)))
        waves = [Panel(versions[index].wave, reach, versions[index].title, labelled=index == at) for index in chosen]
        rows.append(_filled(waves, columns))
        for place, ends in enumerate(shared):
            panels = []
            for index in chosen:
                picture = looks[index][place]
                first, last = index == at, index == chosen[-1]
                panels.append(Panel(picture, ends, picture.title if first else "", bar=last, labelled=first))
            rows.append(_filled(panels, columns))
    return _draw(rows, sample_rate=sample_rate, title=title, apart=False)


def _reach(waves: Sequence[Wave]) -> tuple[float, float]:
    """The same axis for all waves, as far up as down."""
    peak = max(float(np.abs(wave).max()) for wave in waves) or 1.0
    return -peak, peak


def _columns(channels: Sequence[int]) -> int:
    """How many abreast: few large pictures or many small ones, and the channels of a type in one row."""
    singles = channels.count(1)
    abreast = 1 if singles <= 2 else 2 if singles <= 6 else 3 if singles <= 9 else 4
    return min(_MOST_COLUMNS, max([abreast, *channels]))


def _filled(panels: Sequence[Panel], columns: int) -> _Row:
    return [*panels, *[None] * (columns - len(panels))]


def _draw(rows: Sequence[_Row], *, sample_rate: int, title: str, apart: bool) -> "Figure":
    """Every panel in its place, which is reckoned in inches: quick, and the same whatever the labels are.

    Args:
        rows: panels, None where there is none.
        sample_rate: Hz.
        title: above the sheet.
        apart: columns have labels and colour bars of their own, and room for them.
    """
    columns = len(rows[0])
    width = _WIDTHS[columns]
    step = width + (_LEFT + _RIGHT if apart else _GAP)
    heights = [_WAVE_HEIGHT if row[0] and row[0].is_wave else _TALL if columns <= 2 else _LOW for row in rows]
    total = _HEAD + _FOOT + sum(heights) + len(rows) * (_TOP + _BOTTOM)
    size = (_LEFT + (columns - 1) * step + width + _RIGHT, total)
    longest_s = max(panel.duration_s(sample_rate) for row in rows for panel in row if panel)
    with house_figure(*size, layout="none") as figure:
        figure.text(0.1 / size[0], 1 - 0.1 / size[1], title, va="top", fontsize=12, fontweight="bold", parse_math=False)
        top = total - _HEAD
        for row, below, height in zip(rows, [*rows[1:], _filled([], columns)], heights, strict=True):
            bottom = top - _TOP - height
            for column, panel in enumerate(row):
                if panel is None:
                    continue
                left = _LEFT + column * step
                axes = figure.add_axes(_part(left, bottom, width, height, size))
                has_bar = panel.bar and not panel.is_wave
                bar = (
                    figure.add_axes(_part(left + width + 0.08, bottom, 0.09, height, size), label=COLOUR_BAR)
                    if has_bar
                    else None
                )
                draw_panel(axes, bar, panel, sample_rate=sample_rate, height_in=height)
                label_time(axes, longest_s, width_in=width, labelled=below[column] is None)
            top = bottom - _BOTTOM
    return figure


def _part(left: float, bottom: float, width: float, height: float, size: tuple[float, float]) -> Any:
    """Inches as parts of the sheet."""
    return left / size[0], bottom / size[1], width / size[0], height / size[1]
