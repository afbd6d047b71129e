"""Geometry of the page's line charts: where ticks, lines and dots go, in the units of an SVG view box.

The page draws them itself, in its own colours and as text, so that they follow light, dark and print; the figures for a
paper are those of `emogram.evaluation.figures`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

TONES = 6
WIDTH, HEIGHT = 420.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 20.0, 10.0, 40.0


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis."""

    position: float
    label: str


@dataclass(frozen=True)
class Line:
    """A curve: its name, its place in the palette from 0, and its points as SVG wants them."""

    name: str
    tone: int
    points: str


@dataclass(frozen=True)
class Dot:
    """A filled circle with a tooltip."""

    x: float
    y: float
    radius: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One chart, ready to be drawn.

    Attributes:
        title: what it shows, also its accessible name.
        description: the same in a sentence with numbers, for those who do not see it.
        x_label: what the horizontal axis counts.
        x_ticks: along the lower edge.
        y_ticks: along the left edge.
        lines: curves.
        dots: circles.
        diagonal: whether to draw the line of equality.
        marked_x: where to draw a vertical line, or None.
        marked_label: what that line means.
    """

    title: str
    description: str
    x_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()
    diagonal: bool = False
    marked_x: float | None = None
    marked_label: str = ""
    width: float = field(default=WIDTH, init=False)
    height: float = field(default=HEIGHT, init=False)
    left: float = field(default=LEFT, init=False)
    right: float = field(default=WIDTH - RIGHT, init=False)
    top: float = field(default=TOP, init=False)
    bottom: float = field(default=HEIGHT - BOTTOM, init=False)


def ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, at most about `most` of them.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    step = 10.0 ** math.floor(math.log10(span / (most - 1)))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= most - 1 + 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def curves(
    title: str,
    epochs: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    percent: bool,
    best_epoch: float | None = None,
) -> Chart | None:
    """Values by epoch, one line a name; values that are no number are left out. None where nothing is left to draw.

    Args:
        title: of the chart.
        epochs: horizontal positions.
        series: values by name, each as long as `epochs`.
        percent: values are shares, drawn from 0 to 100 %.
        best_epoch: which epoch to mark.
    """
    drawn = {
        name: [(x, y) for x, y in zip(epochs, values, strict=True) if math.isfinite(y)]
        for name, values in series.items()
    }
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return None
    low, high = min(epochs), max(epochs)
    top = 1.0 if percent else max(y for points in drawn.values() for _, y in points) * 1.05 or 1.0
    across, up = _scale(low, high, LEFT, WIDTH - RIGHT), _scale(0.0, top, HEIGHT - BOTTOM, TOP)
    described = "; ".join(f"{name} {_number(points[-1][1], percent)}" for name, points in drawn.items())
    return Chart(
        title=title,
        description=f"{title} over {len(epochs)} epochs. At the end: {described}.",
        x_label="epoch",
        x_ticks=tuple(Tick(across(x), f"{x:g}") for x in ticks(low, high) if x == int(x)),
        y_ticks=tuple(Tick(up(y), _number(y, percent)) for y in ticks(0.0, top)),
        lines=tuple(
            Line(name, tone % TONES, " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points))
            for tone, (name, points) in enumerate(drawn.items())
        ),
        marked_x=None if best_epoch is None else across(best_epoch),
        marked_label="" if best_epoch is None else f"chosen: epoch {best_epoch:g}",
    )


def reliability(clips: Sequence[int], accuracy: Sequence[float], confidence: Sequence[float]) -> Chart | None:
    """How often the network is right, by how sure it says it is; a dot's area grows with the number of clips.

    Args:
        clips: number in each bin of confidence, above 0.
        accuracy: the share of them that is right.
        confidence: their mean confidence.
    """
    if not clips:
        return None
    across, up = _scale(0.0, 1.0, LEFT, WIDTH - RIGHT), _scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    dots = tuple(
        Dot(
            x=across(stated),
            y=up(right),
            radius=2.0 + 7.0 * math.sqrt(count / max(clips)),
            label=f"{count} clips stated at {stated:.0%}, right in {right:.0%}",
        )
        for count, right, stated in zip(clips, accuracy, confidence, strict=True)
    )
    return Chart(
        title="How often right, by stated confidence",
        description="How often right, by stated confidence: " + "; ".join(dot.label for dot in dots) + ".",
        x_label="stated confidence",
        x_ticks=tuple(Tick(across(x), f"{x:.0%}") for x in ticks(0.0, 1.0)),
        y_ticks=tuple(Tick(up(y), f"{y:.0%}") for y in ticks(0.0, 1.0)),
        dots=dots,
        diagonal=True,
    )


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The line through (low, start) and (high, end); everything at the middle where `low` is `high`."""
    if high == low:
        return lambda _: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _number(value: float, percent: bool) -> str:
    return f"{value:.0%}" if percent else f"{value:.3g}"
