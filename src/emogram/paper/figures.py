"""The figures of the paper and the talk, each drawn from stored results at the width of a page, with a text that says the same.

Inches are those of the drawing; the page shows 7.2 of them over its text width, so that labels read at print size.
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emogram.evaluation.figures import reliability_diagram
from emogram.evaluation.metrics import METRICS, higher_is_better
from emogram.evaluation.style import BLUE, GREEN, GREY, INK, ORANGE, house_figure, write
from emogram.paper.comparison import Group, Inflation
from emogram.paper.stored import Result
from emogram.paper.studied import Studied
from emogram.paper.wording import LEVEL_WORDS, changed_in_words, listed, score, with_interval
from emogram.studies.conditions import CLEAN
from emogram.studies.findings import form
from emogram.studies.study import BASE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE_IN = 7.2
"""Width of a drawing that is as wide as the text."""

_LOOKS = {"better": (BLUE, "^"), "worse": (ORANGE, "v")}
_TONES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "D"))
_SEXES = {"female": (ORANGE, "o", "women"), "male": (BLUE, "s", "men")}


@dataclass(frozen=True)
class Drawn:
    """A figure that lies in the folder of figures under its name.

    Attributes:
        alt: what it shows, for those who do not see it.
        width_in: of the drawing.
        height_in: of the drawing.
    """

    alt: str
    width_in: float
    height_in: float


class Drawings(Mapping[str, Drawn]):
    """Figures by name, each drawn into a folder when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ways: dict[str, Callable[[], tuple[Figure, str]]] = {}
        self._drawn: dict[str, Drawn] = {}

    def add(self, name: str, draw: "Callable[[], tuple[Figure, str]]") -> None:
        """Say how a figure is drawn: a function that gives it and what it shows in words."""
        self._ways[name] = draw

    def __getitem__(self, name: str) -> Drawn:
        if name not in self._drawn:
            figure, alt = self._ways[name]()
            self.folder.mkdir(parents=True, exist_ok=True)
            write(figure, self.folder / f"{name}.svg")
            self._drawn[name] = Drawn(alt, figure.get_figwidth(), figure.get_figheight())
        return self._drawn[name]

    def __contains__(self, name: object) -> bool:
        return name in self._ways

    def __iter__(self) -> Iterator[str]:
        return iter(self._ways)

    def __len__(self) -> int:
        return len(self._ways)


_PANELS_WITH_AXES = 4
"""More panels than that share one axis, whose numbers would run into each other."""


def standing(group: Group, *, height_in: float = 0.0) -> "tuple[Figure, str]":
    """Accuracy of every result of a protocol, with those from the literature between them."""
    ours: list[tuple[float, str, Result | None]] = [(100 * one.accuracy, one.label, one) for one in group.results]
    others = [(one.accuracy or 0.0, one.system, None) for one in group.published]
    rows = sorted([*ours, *others], key=lambda row: -row[0])
    with house_figure(PAGE_IN, height_in or 1.0 + 0.3 * len(rows)) as figure:
        axes = figure.subplots()
        for place, (value, _, result) in enumerate(rows):
            if result is None:
                axes.plot(value, place, "o", color="white", markeredgecolor=GREY, markersize=7, zorder=3)
                continue
            row = result.scores["accuracy"]
            if row["low"] is not None and row["high"] is not None:
                axes.plot([100 * row["low"], 100 * row["high"]], [place, place], "-", color=BLUE, linewidth=2)
            axes.plot(value, place, "o", color=BLUE, markersize=8, zorder=3)
        axes.set_yticks(range(len(rows)), [textwrap.shorten(name, 44, placeholder=" …") for _, name, _ in rows])
        for label, (_, _, result) in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if result else "normal")
        axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="accuracy in %")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
    told = [f"{name} {value:.1f} %" for value, name, _ in rows]
    return figure, f"Accuracy by protocol {group.split}: {'; '.join(told)}."


def inflation(pairs: Sequence[Inflation], *, height_in: float = 0.0) -> "tuple[Figure, str]":
    """Accuracy on unseen speakers and on a random split, joined by a line."""
    with house_figure(PAGE_IN, height_in or 1.4 + 0.8 * len(pairs)) as figure:
        axes = figure.subplots()
        for place, pair in enumerate(pairs):
            ends = [100 * pair.unseen.accuracy, 100 * pair.random.accuracy]
            axes.plot(ends, [place, place], "-", color="#D8D8D8", linewidth=9, solid_capstyle="butt", zorder=1)
            axes.annotate(
                f"{100 * pair.apart:+.1f} points".replace("-", "\u2212"),
                (sum(ends) / 2, place - 0.16),
                ha="center",
                va="bottom",
                fontsize=11,
                fontweight="bold",
            )
            for result, colour, marker, label, shift in (
                (pair.unseen, BLUE, "o", "speakers never heard", 0.15),
                (pair.random, ORANGE, "s", "random split of clips, speakers heard in training", 0.25),
            ):
                row = result.scores["accuracy"]
                if row["low"] is not None and row["high"] is not None:
                    extent = [100 * row["low"], 100 * row["high"]]
                    axes.plot(extent, [place + shift] * 2, "-", color=colour, linewidth=1.6)
                axes.plot(
                    100 * result.accuracy, place, marker, color=colour, markersize=9, label=label if not place else ""
                )
        axes.set_yticks(range(len(pairs)), [pair.unseen.label for pair in pairs])
        axes.set(ylim=(len(pairs) - 0.55, -0.55), xlabel="accuracy in %")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=2)
    told = [
        f"{pair.unseen.label}: {score(pair.unseen.scores['accuracy'])} on unseen speakers, "
        f"{score(pair.random.scores['accuracy'])} on a random split"
        for pair in pairs
    ]
    return figure, f"Accuracy by kind of split. {'; '.join(told)}."


def confusion(result: Result) -> "tuple[Figure, str]":
    """Share of the clips of each emotion by what they were taken for."""
    emotions = result.predictions.emotions
    table = np.asarray(result.summary["confusion"], dtype=np.float64)
    totals = table.sum(axis=1, keepdims=True)
    share = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    side = 0.52 * len(emotions)
    with house_figure(1.5 + side, 1.2 + 0.88 * side) as figure:
        axes = figure.subplots()
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(share):
            colour = "white" if value > 0.6 else INK if value >= 0.1 else GREY
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=colour, fontweight=weight)
        ticks = range(len(emotions))
        axes.set_xticks(ticks, emotions, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(ticks, emotions)
        axes.set(xlabel="predicted", ylabel="true")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        edges = np.arange(len(emotions) + 1) - 0.5
        axes.set_xticks(edges, minor=True)
        axes.set_yticks(edges, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="minor", length=0)
    right = [f"{emotion} {100 * share[at, at]:.0f} %" for at, emotion in enumerate(emotions) if totals[at]]
    return figure, f"Confusion matrix of {result.label}. Named rightly: {'; '.join(right)}."


def emotions(results: Sequence[Result], *, height_in: float = 0.0) -> "tuple[Figure, str]":
    """Recall of each emotion with intervals, of up to three results."""
    names = results[0].predictions.emotions
    with house_figure(PAGE_IN, height_in or 1.1 + 0.38 * len(names)) as figure:
        axes = figure.subplots()
        for at, (result, (colour, marker)) in enumerate(zip(results, _TONES, strict=False)):
            shift = 0.22 * (at - (min(len(results), len(_TONES)) - 1) / 2)
            for place, emotion in enumerate(names):
                row = (result.summary["per_emotion"].get(emotion) or {}).get("recall")
                if row is None:
                    continue
                if row["low"] is not None:
                    axes.plot([100 * row["low"], 100 * row["high"]], [place + shift] * 2, "-", color=colour)
                label = result.label if place == 0 else ""
                axes.plot(100 * row["value"], place + shift, marker, color=colour, markersize=7, label=label)
        axes.axvline(100 / len(names), color=INK, linewidth=0.9, linestyle=":", label="guessing")
        axes.set_yticks(range(len(names)), names)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, 100), xlabel="recall in %")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=2)  # names are long
    told = [f"{result.label}: {_recalls(result)}" for result in results[: len(_TONES)]]
    return figure, f"Recall of each emotion. {'. '.join(told)}."


def speakers(results: Sequence[Result], *, height_in: float = 0.0) -> "tuple[Figure, str]":
    """Accuracy of every speaker as a dot, women and men apart, of up to three results."""
    shown = results[: len(_TONES)]
    lines = [(result, sex) for result in shown for sex in _SEXES if sex in result.summary["per_sex"]]
    told = []
    with house_figure(PAGE_IN, height_in or 1.2 + 0.42 * len(lines)) as figure:
        axes = figure.subplots()
        named: set[str] = set()
        for place, (result, sex) in enumerate(lines):
            colour, marker, word = _SEXES[sex]
            values = sorted(
                100 * each["accuracy"] for each in result.summary["per_speaker"].values() if each["sex"] == sex
            )
            row = result.summary["per_sex"][sex]["accuracy"]
            axes.plot(values, [place] * len(values), marker, color=colour, alpha=0.4, markersize=7, markeredgewidth=0)
            if row["low"] is not None:
                axes.plot([100 * row["low"], 100 * row["high"]], [place + 0.27] * 2, "-", color=colour, linewidth=1.6)
            label = "" if word in named else f"{word}: all together"
            axes.plot(100 * row["value"], place + 0.27, marker, color=colour, markersize=7, label=label)
            named.add(word)
            told.append(f"{result.label}, {word}: {with_interval(row)}, from {values[0]:.0f} to {values[-1]:.0f} %")
        axes.set_yticks(range(len(lines)), [f"{result.label}, {_SEXES[sex][2]}" for result, sex in lines])
        axes.set(ylim=(len(lines) - 0.3, -0.5), xlim=(0, 100), xlabel="accuracy in %; pale: one speaker each")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=2)
    return figure, f"Accuracy by speaker. {'; '.join(told)}."


def reliability(result: Result) -> "tuple[Figure, str]":
    """How often it is right, by how sure it says it is."""
    figure = reliability_diagram(result.predictions)
    figure.axes[0].set_title("", loc="left")  # the caption tells it
    error = score(result.scores["ece"], "ece")
    return figure, f"Share of clips that are right against stated probability, expected calibration error {error}."


def forest(studied: Studied, *, most: int = 0, height_in: float = 0.0) -> "tuple[Figure, str]":
    """The scores of all points of a study, a panel a condition; `most` leaves only the base, the best and the worst."""
    metric = studied.findings.outcome
    scale = 100 if higher_is_better(metric) else 1
    points = _chosen(studied, most)
    conditions = studied.conditions
    with house_figure(PAGE_IN, height_in or 1.3 + 0.24 * len(points)) as figure:
        many = len(conditions) > _PANELS_WITH_AXES
        panels = figure.subplots(1, len(conditions), sharex=many, sharey=True, squeeze=False)[0]
        legend: dict[str, Any] = {}
        for axes, condition in zip(panels, conditions, strict=True):
            for place, point in enumerate(points):
                _mark(axes, studied, (point, condition), (place, scale), legend)
            axes.set_title(
                "" if len(conditions) == 1 else textwrap.fill(condition, 9 if many else 12, break_long_words=False),
                fontsize=9,
            )
            axes.grid(axis="x")
            axes.tick_params(axis="y", length=0)
        panels[0].set_yticks(range(len(points)), [textwrap.shorten(point, 34, placeholder=" …") for point in points])
        panels[0].set_ylim(len(points) - 0.4, -0.6)
        figure.supxlabel(f"{METRICS[metric]}{' in %' if scale > 1 else ''}", fontsize=10)
        figure.legend(legend.values(), legend.keys(), loc="outside upper left", ncols=len(legend))
    return figure, _told(studied, points)


def differ_in_size(studied: Studied) -> bool:
    """Whether the points of a study have different numbers of parameters."""
    known = _sizes(studied)
    return len(known) > 2 and max(known)[0] > 1.2 * min(known)[0]


def sizes(studied: Studied) -> "tuple[Figure, str]":
    """Score against number of parameters."""
    metric = studied.findings.outcome
    scale = 100 if higher_is_better(metric) else 1
    known = _sizes(studied)
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 - drawing is the only use of matplotlib

    with house_figure(PAGE_IN, 3.6) as figure:
        axes = figure.subplots()
        for parameters, value, point in known:
            base = point == BASE
            axes.plot(parameters, scale * value, "s" if base else "o", color=INK if base else BLUE, markersize=7)
        for parameters, value, point in _apart(known):
            axes.annotate(point, (parameters, scale * value), (5, 4), textcoords="offset points", fontsize=8)
        axes.set_xscale("log", subs=[])
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda size, _: f"{size / 1e6:g} M" if size >= 1e6 else f"{size / 1e3:g} k")
        axes.set(xlabel="parameters", ylabel=f"{METRICS[metric]}{' in %' if scale > 1 else ''}")
        axes.grid()
        axes.margins(x=0.12, y=0.12)
    told = [
        f"{point}: {parameters:.0f} parameters, {form(metric, value)}" for parameters, value, point in sorted(known)
    ]
    return figure, f"Score against parameters. {'; '.join(told)}."


def _sizes(studied: Studied) -> list[tuple[float, float, str]]:
    """Parameters, score and name of every point that has both."""
    return [
        (parameters, one.estimate.value, point)
        for point in studied.plan.factors
        if (one := studied.score(point)) is not None and one.estimate is not None
        if (parameters := studied.mean(point, "parameters"))
    ]


def _apart(known: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Of points of one size only the highest and the lowest, and the base, so that names do not lie upon each other."""
    chosen = []
    for size in sorted({round(np.log2(parameters), 1) for parameters, _, _ in known}):
        held = sorted((each for each in known if round(np.log2(each[0]), 1) == size), key=lambda each: each[1])
        chosen += [each for at, each in enumerate(held) if at in {0, len(held) - 1} or each[2] == BASE]
    return chosen


def _chosen(studied: Studied, most: int) -> list[str]:
    points = [
        point
        for point in studied.plan.factors
        if any((one := studied.score(point, label)) is not None and one.estimate for label in studied.conditions)
    ]
    if not most or len(points) <= most:
        return points
    down = higher_is_better(studied.findings.outcome)

    def value(point: str) -> float:
        one = studied.score(point)
        return one.estimate.value if one is not None and one.estimate else -np.inf if down else np.inf

    ranked = sorted((point for point in points if point != BASE), key=value, reverse=down)
    low = most // 3
    return [BASE, *ranked[: most - 1 - low], *ranked[len(ranked) - low :]]


def _mark(
    axes: "Axes", studied: Studied, at: tuple[str, str], where: tuple[int, float], legend: dict[str, Any]
) -> None:
    """A point under a condition, in the row and on the scale where it goes."""
    one = studied.score(*at)
    if one is None or one.estimate is None:
        return
    place, scale = where
    found, made, base = one.estimate, studied.comparison(*at), at[0] == BASE
    verdict = made.verdict if made else ""
    colour, marker = (INK, "s") if base else _LOOKS.get(verdict, (GREY, "o"))
    if found.low is not None and found.high is not None:
        axes.plot([scale * found.low, scale * found.high], [place, place], "-", color=colour, linewidth=1.5)
    drawn = axes.plot(scale * found.value, place, marker, color=colour, markersize=6.5, linestyle="none")
    legend.setdefault("base" if base else verdict or "not compared", drawn[0])
    if base:
        axes.axvline(scale * found.value, color=INK, linewidth=0.9, linestyle=":")


def _told(studied: Studied, points: Sequence[str]) -> str:
    metric = studied.findings.outcome
    told = []
    for condition in studied.conditions:
        scored = [(point, studied.score(point, condition)) for point in points]
        known = [f"{point} {form(metric, one.estimate.value)}" for point, one in scored if one and one.estimate]
        told.append(f"{condition.capitalize() if condition == CLEAN else condition}: {', '.join(known)}")
    made = [each for each in studied.findings.comparisons if each.verdict in _LOOKS and each.difference]
    changes = [f"{each.point} {changed_in_words(each.difference.estimate, metric)}" for each in made if each.difference]
    verdicts = f" Told apart from the base: {listed(changes)}." if changes else ""
    return f"{METRICS[metric].capitalize()} with {LEVEL_WORDS} intervals. {'. '.join(told)}.{verdicts}"


def _recalls(result: Result) -> str:
    rows = {name: each["recall"] for name, each in result.summary["per_emotion"].items() if each["recall"]}
    return ", ".join(f"{name} {score(row)}" for name, row in rows.items())
