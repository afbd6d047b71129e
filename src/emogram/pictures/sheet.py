"""A sheet: waves and spectrograms of clips as one labelled figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from emogram.evaluation.style import BLUE, EMPTY, INK, house_figure
from emogram.pictures.scales import row_ticks, time_ticks
from emogram.pictures.views import Picture, Version, Wave, limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEAD, _FOOT = 0.72, 0.80, 0.30, 0.08, 0.42, 0.46
"""Inches around each panel for its labels, its colour bar and its title; above and below the whole sheet."""
_WIDTHS = {1: 6.8, 2: 4.0, 3: 3.1, 4: 2.8}
_WAVE_HEIGHT, _TALL, _LOW = 0.62, 1.9, 1.25
_MOST_COLUMNS = 4
_TICK_ROOM = 0.19
_ENVELOPE = 1200
_LEVELS, _SIGNED = "magma", "RdBu_r"


@dataclass(frozen=True, eq=False)
class _Panel:
    """What is drawn in one place: a wave, or a picture with the ends of its colours."""

    title: str
    wave: Wave | None = None
    picture: Picture | None = None
    limits: tuple[float, float] = (0.0, 1.0)
    bar: bool = True


_Row = list[_Panel | None]


def catalogue(version: Version, types: Sequence[Sequence[Picture]], *, sample_rate: int, title: str) -> "Figure":
    """One version of a clip by one or more spectrogram types, each with its own colours; the wave above every column.

    Args:
        version: whose wave is drawn.
        types: the pictures of each type, from `look`.
        sample_rate: Hz.
        title: above the sheet.
    """
    single = [pictures[0] for pictures in types if len(pictures) == 1]
    several = [pictures for pictures in types if len(pictures) > 1]
    columns = _columns(len(single), [len(pictures) for pictures in several])
    rows: list[_Row] = [[_Panel("", wave=version.wave)] * columns]
    for pictures in [single, *several]:
        panels = [_Panel(picture.title, picture=picture, limits=limits([picture])) for picture in pictures]
        rows += [_filled(panels[at : at + columns], columns) for at in range(0, len(panels), columns)]
    return _draw(rows, sample_rate=sample_rate, title=title)


def comparison(
    versions: Sequence[Version], looks: Sequence[Sequence[Picture]], *, sample_rate: int, title: str
) -> "Figure":
    """Several clips, or a clip before and after its augmentations, side by side: a wave each, and the same colours.

    Args:
        versions: what is compared, a column each; more than four go on below.
        looks: the pictures of each version, the same types and channels for all.
        sample_rate: Hz.
        title: above the sheet.
    """
    columns = min(len(versions), _MOST_COLUMNS)
    shared = [limits(same) for same in zip(*looks, strict=True)]
    rows: list[_Row] = []
    for at in range(0, len(versions), columns):
        chosen = range(at, min(at + columns, len(versions)))
        rows.append(_filled([_Panel(versions[index].title, wave=versions[index].wave) for index in chosen], columns))
        for place, ends in enumerate(shared):
            panels = [
                _Panel("", picture=looks[index][place], limits=ends, bar=index == chosen[-1]) for index in chosen
            ]
            panels[0] = _Panel(looks[at][place].title, picture=looks[at][place], limits=ends, bar=len(chosen) == 1)
            rows.append(_filled(panels, columns))
    return _draw(rows, sample_rate=sample_rate, title=title)


def _columns(singles: int, channels: Sequence[int]) -> int:
    """How many abreast: few large pictures, or many small ones, and the channels of a type in one row."""
    abreast = 1 if singles <= 2 else 2 if singles <= 6 else 3 if singles <= 9 else 4
    return min(_MOST_COLUMNS, max([abreast, *channels]))


def _filled(panels: Sequence[_Panel], columns: int) -> _Row:
    return [*panels, *[None] * (columns - len(panels))]


def _draw(rows: Sequence[_Row], *, sample_rate: int, title: str) -> "Figure":
    """Every panel in its place, which is reckoned in inches: quick, and the same whatever the labels are."""
    columns = len(rows[0])
    width = _WIDTHS[columns]
    spec_height = _TALL if columns <= 2 else _LOW
    heights = [_WAVE_HEIGHT if row[0] and row[0].wave is not None else spec_height for row in rows]
    total = _HEAD + _FOOT + sum(heights) + len(rows) * (_TOP + _BOTTOM)
    sheet = (columns * (_LEFT + width + _RIGHT), total)
    longest_s = max(_duration_s(panel, sample_rate) for row in rows for panel in row if panel)
    with house_figure(*sheet, layout="none") as figure:
        figure.text(0.1 / sheet[0], 1 - 0.1 / sheet[1], title, va="top", fontsize=12, fontweight="bold")
        top = total - _HEAD
        for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
            top -= _TOP
            below = rows[number + 1] if number + 1 < len(rows) else [None] * columns
            for column, panel in enumerate(row):
                if panel is None:
                    continue
                left = column * (_LEFT + width + _RIGHT) + _LEFT
                axes = figure.add_axes(_part(left, top - height, width, height, sheet))
                _fill(axes, panel, sample_rate=sample_rate, height=height, first=column == 0)
                _label_time(axes, longest_s, width=width, last=below[column] is None)
                if panel.picture is not None and panel.bar:
                    bar = figure.add_axes(_part(left + width + 0.08, top - height, 0.09, height, sheet))
                    _colour_bar(axes, bar, panel)
            top -= height + _BOTTOM
    return figure


def _part(left: float, bottom: float, width: float, height: float, sheet: tuple[float, float]) -> Any:
    return left / sheet[0], bottom / sheet[1], width / sheet[0], height / sheet[1]


def _duration_s(panel: _Panel, sample_rate: int) -> float:
    if panel.picture is not None:
        return panel.picture.duration_s
    return 0.0 if panel.wave is None else len(panel.wave) / sample_rate


def _fill(axes: "Axes", panel: _Panel, *, sample_rate: int, height: float, first: bool) -> None:
    axes.set_title(panel.title, fontsize=10, pad=4)
    axes.set_facecolor(EMPTY)
    axes.tick_params(labelsize=8, length=2.5, pad=2)
    if panel.wave is not None:
        _draw_wave(axes, panel.wave, sample_rate)
        quantity = "amplitude"
    else:
        _draw_picture(axes, panel, height)
        quantity = panel.picture.axis.quantity if panel.picture is not None else ""
    if first or (panel.bar and panel.wave is None and quantity != "frequency in Hz"):
        axes.set_ylabel(quantity.removeprefix("frequency in "), fontsize=8, labelpad=2)


def _draw_wave(axes: "Axes", wave: Wave, sample_rate: int) -> None:
    """The lowest and highest sample of each short stretch: what a line through all samples would paint."""
    stretch = max(1, -(-len(wave) // _ENVELOPE))
    ends = np.arange(0, len(wave), stretch)
    low, high = np.minimum.reduceat(wave, ends), np.maximum.reduceat(wave, ends)
    axes.fill_between((ends + stretch / 2) / sample_rate, low, high, color=BLUE, linewidth=0.4)
    peak = float(np.abs(wave).max()) or 1.0
    axes.set_ylim(-1.05 * peak, 1.05 * peak)
    axes.set_facecolor("white")
    axes.set_yticks([-peak, 0, peak], [f"−{peak:.2g}", "0", f"{peak:.2g}"])


def _draw_picture(axes: "Axes", panel: _Panel, height: float) -> None:
    picture = panel.picture
    if picture is None:
        return
    rows = picture.values.shape[0]
    axes.imshow(
        picture.values,
        origin="lower",
        aspect="auto",
        cmap=_SIGNED if picture.signed else _LEVELS,
        vmin=panel.limits[0],
        vmax=panel.limits[1],
        # Frame n is centred on n hops.
        extent=(-0.5 * picture.hop_s, picture.duration_s - 0.5 * picture.hop_s, -0.5, rows - 0.5),
    )
    ticks = row_ticks(picture.axis, most=max(2, int(height / _TICK_ROOM)))
    axes.set_yticks([place for place, _ in ticks], [label for _, label in ticks])


def _label_time(axes: "Axes", longest_s: float, *, width: float, last: bool) -> None:
    axes.set_xlim(0, longest_s)
    ticks = time_ticks(longest_s, most=int(width / 0.45))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks] if last else [])
    if last:
        axes.set_xlabel("s", fontsize=8, labelpad=1)


def _colour_bar(axes: "Axes", place: "Axes", panel: _Panel) -> None:
    picture = panel.picture
    if picture is None:
        return
    low, high = panel.limits
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    beyond = ends[bool(picture.values.min() < low - 1e-9), bool(picture.values.max() > high + 1e-9)]
    bar = axes.figure.colorbar(axes.images[0], cax=place, extend=beyond, extendfrac=0.05)  # type: ignore[arg-type]
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.locator = _few_ticks()
    bar.formatter.set_powerlimits((-3, 4))  # type: ignore[attr-defined]
    bar.update_ticks()
    place.tick_params(labelsize=7.5, length=2, pad=1.5, color=INK)
    place.yaxis.get_offset_text().set_fontsize(7)
    bar.set_label(picture.unit, fontsize=8, labelpad=2)


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(nbins=4)
