"""One panel of a sheet: a wave, or a spectrogram with its axes in s and Hz and its colour bar."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from emogram.evaluation.style import BLUE, EMPTY, INK
from emogram.pictures.scales import row_ticks, time_ticks
from emogram.pictures.views import Picture, Wave

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICK_ROOM_IN, _TIME_ROOM_IN = 0.19, 0.45
_ENVELOPE = 1200
_LEVELS, _SIGNED = "magma", "RdBu_r"


@dataclass(frozen=True, eq=False)
class Panel:
    """What is drawn in one place.

    Attributes:
        content: a wave [T], or a picture.
        limits: the lowest and the highest value of its axis or its colours.
        title: above it.
        bar: whether a colour bar stands beside it.
        labelled: whether its rows are labelled.
    """

    content: Wave | Picture
    limits: tuple[float, float]
    title: str = ""
    bar: bool = True
    labelled: bool = True

    @property
    def is_wave(self) -> bool:
        """Whether it shows a wave."""
        return isinstance(self.content, np.ndarray)

    def duration_s(self, sample_rate: int) -> float:
        """Seconds that it shows."""
        return self.content.duration_s if isinstance(self.content, Picture) else len(self.content) / sample_rate


def draw_panel(axes: "Axes", bar: "Axes | None", panel: Panel, *, sample_rate: int, height_in: float) -> None:
    """Draw a panel into its axes, and its colour bar into another."""
    axes.set_title(panel.title, fontsize=10, pad=4, parse_math=False)
    axes.set_facecolor(EMPTY)
    axes.tick_params(labelsize=8, length=2.5, pad=2)
    if isinstance(panel.content, Picture):
        _draw_picture(axes, panel.content, panel.limits, height_in)
        if bar is not None:
            _draw_colour_bar(axes, bar, panel.content, panel.limits)
        quantity = panel.content.axis.quantity.removeprefix("frequency in ")
    else:
        _draw_wave(axes, panel.content, panel.limits, sample_rate)
        quantity = "amplitude"
    if panel.labelled:
        axes.set_ylabel(quantity, fontsize=8, labelpad=2)
    else:
        axes.tick_params(labelleft=False)


def label_time(axes: "Axes", longest_s: float, *, width_in: float, labelled: bool) -> None:
    """A time axis from 0, in s; labelled where nothing stands below that is."""
    axes.set_xlim(0, longest_s)
    ticks = time_ticks(longest_s, most=max(2, int(width_in / _TIME_ROOM_IN)))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks] if labelled else [])
    if labelled:
        axes.set_xlabel("s", fontsize=8, labelpad=1)


def _draw_wave(axes: "Axes", wave: Wave, limits: tuple[float, float], sample_rate: int) -> None:
    """The lowest and highest sample of each short stretch: what a line through all samples would paint."""
    stretch = max(1, -(-len(wave) // _ENVELOPE))
    starts = np.arange(0, len(wave), stretch)
    low, high = np.minimum.reduceat(wave, starts), np.maximum.reduceat(wave, starts)
    axes.fill_between((starts + stretch / 2) / sample_rate, low, high, color=BLUE, linewidth=0.4)
    axes.set_ylim(1.05 * limits[0], 1.05 * limits[1])
    axes.set_facecolor("white")
    axes.set_yticks([limits[0], 0, limits[1]], [f"−{-limits[0]:.2g}", "0", f"{limits[1]:.2g}"])


def _draw_picture(axes: "Axes", picture: Picture, limits: tuple[float, float], height_in: float) -> None:
    rows = picture.values.shape[0]
    axes.imshow(
        picture.values,
        origin="lower",
        aspect="auto",
        cmap=_SIGNED if picture.signed else _LEVELS,
        vmin=limits[0],
        vmax=limits[1],
        # Frame n is centred on n hops.
        extent=(-0.5 * picture.hop_s, picture.duration_s - 0.5 * picture.hop_s, -0.5, rows - 0.5),
    )
    ticks = row_ticks(picture.axis, most=max(2, int(height_in / _TICK_ROOM_IN)))
    axes.set_yticks([place for place, _ in ticks], [label for _, label in ticks])


def _draw_colour_bar(axes: "Axes", place: "Axes", picture: Picture, limits: tuple[float, float]) -> None:
    """With an arrow at an end that values lie beyond."""
    low, high = limits
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    beyond = ends[bool(picture.values.min() < low - 1e-9), bool(picture.values.max() > high + 1e-9)]
    bar = axes.figure.colorbar(axes.images[0], cax=place, extend=beyond, extendfrac=0.05)
    bar.outline.set_visible(False)
    bar.locator = _few_ticks()
    bar.formatter.set_powerlimits((-3, 4))  # type: ignore[attr-defined]
    bar.update_ticks()
    place.tick_params(labelsize=7.5, length=2, pad=1.5, color=INK)
    place.yaxis.get_offset_text().set_fontsize(7)
    bar.set_label(picture.unit, fontsize=8, labelpad=2)


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(nbins=4)
