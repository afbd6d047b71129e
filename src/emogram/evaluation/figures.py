"""The figures of a run: confusion matrix, learning curves, reliability, scores by emotion, example spectrograms.

Each function returns a matplotlib ``Figure`` in the house style; `save` writes it as SVG and PNG.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from emogram.errors import ConfigurationError
from emogram.evaluation.calibration import reliability_table
from emogram.evaluation.metrics import Predictions, score
from emogram.evaluation.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, house_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KHZ_TICKS = (16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.1)


@dataclass(frozen=True, eq=False)
class Example:
    """A spectrogram to show.

    Attributes:
        title: such as ``angry, ravdess-12``.
        spec_db: level in dB, [F, N], lowest band first.
        hop_s: seconds from one column to the next.
        centre_hz: centre frequency of each band, ascending, [F].
    """

    title: str
    spec_db: npt.NDArray[np.floating[Any]]
    hop_s: float
    centre_hz: npt.NDArray[np.floating[Any]]


def save(figure: "Figure", path: Path) -> tuple[Path, Path]:
    """Write a figure as ``path.svg`` and ``path.png`` (whatever the suffix of `path`), the same bytes for the same figure.

    Returns:
        The two paths.
    """
    return write(figure, path.with_name(path.stem + ".svg")), write(figure, path.with_name(path.stem + ".png"))


def confusion(counts: npt.ArrayLike, emotions: Sequence[str], *, title: str = "Confusion matrix") -> "Figure":
    """Clips by true emotion (rows) and predicted emotion (columns), with the share of the row in percent.

    Args:
        counts: [K, K], as from `emogram.evaluation.confusion_matrix`.
        emotions: the K emotions.
        title: above the figure.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.shape != (len(emotions), len(emotions)):
        raise ConfigurationError(f"confusion matrix: shape {table.shape} for {len(emotions)} emotions; give [K, K]")
    rows = table.sum(axis=1, keepdims=True)
    share = np.divide(table, rows, out=np.zeros_like(table), where=rows > 0)
    side = 0.66 * len(emotions)
    with house_figure(2.8 + side, 1.4 + side) as figure:
        axes = figure.subplots()
        image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        for (row, column), value in np.ndenumerate(share):
            label = f"{table[row, column]:.0f}\n{100 * value:.0f} %" if table[row, column] else "0"
            colour = "white" if value > 0.65 else INK if table[row, column] else GREY
            axes.text(column, row, label, ha="center", va="center", fontsize=8, color=colour, linespacing=1.15)
        ticks = range(len(emotions))
        axes.set_xticks(ticks, emotions, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(ticks, [f"{name} ({total:.0f})" for name, total in zip(emotions, rows[:, 0], strict=True)])
        axes.set(xlabel="predicted", ylabel="true (clips)", title=title)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        _white_grid(axes, len(emotions))
        bar = figure.colorbar(image, cax=axes.inset_axes((1.03, 0, 0.04, 1)), ticks=[0, 0.5, 1])
        bar.ax.set_yticklabels(["0 %", "50 %", "100 %"])
        bar.set_label("share of the true emotion")
        bar.outline.set_visible(False)
    return figure


def learning_curves(history: Sequence[Mapping[str, float]], *, best_epoch: int | None = None) -> "Figure":
    """Loss and accuracy of training and validation over epochs.

    Args:
        history: one row an epoch with ``epoch`` and any of ``train_loss``, ``validation_loss``, ``train_accuracy``,
            ``validation_accuracy``.
        best_epoch: the epoch whose checkpoint was kept, marked.
    """
    if not history:
        raise ConfigurationError("learning curves: no epochs; train first")
    with house_figure(8.4, 3.5) as figure:
        panels = figure.subplots(1, 2)
        for axes, quantity, scale in zip(panels, ("loss", "accuracy"), (1, 100), strict=True):
            for part, colour, line in (("train", BLUE, "--"), ("validation", ORANGE, "-")):
                name = f"{part}_{quantity}"
                points = [(row["epoch"], scale * row[name]) for row in history if name in row]
                if points:
                    marker = "o" if len(points) < 3 else ""
                    label = "training" if part == "train" else part
                    axes.plot(*zip(*points, strict=True), line, color=colour, label=label, marker=marker)
            if best_epoch is not None:
                axes.axvline(best_epoch, color=GREY, linewidth=1, linestyle=":", label=f"kept: epoch {best_epoch}")
            axes.set(xlabel="epoch", title=quantity.capitalize())
            axes.grid(axis="y")
            axes.margins(x=0.02)
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set(ylabel="loss")
        panels[0].set_ylim(bottom=0)
        panels[1].set(ylabel="accuracy in %", ylim=(0, 100))
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=3)
    return figure


def reliability_diagram(predictions: Predictions, *, title: str = "Reliability") -> "Figure":
    """Accuracy against confidence in the bins of the expected calibration error, over the number of clips in each."""
    table = [entry for entry in reliability_table(predictions) if entry.clips]
    with house_figure(4.6, 5.2) as figure:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="as probable as right")
        width = table[0].high - table[0].low
        lefts = [entry.low for entry in table]
        heights = [entry.accuracy or 0.0 for entry in table]
        axes.bar(lefts, heights, width=width, align="edge", color=PALE, edgecolor="white", label="share that is right")
        means = [entry.confidence or 0.0 for entry in table]
        axes.plot(means, heights, "o", color=ORANGE, markersize=4, label="at the mean probability")
        ece = score(predictions)["ece"]
        heading = f"{title} (expected calibration error {ece:.3f})"
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of clips that are right", title=heading)
        axes.legend(loc="upper left", frameon=True, framealpha=0.85, edgecolor="none")
        axes.grid(axis="y")
        below.bar(lefts, [entry.clips for entry in table], width=width, align="edge", color=GREY, edgecolor="white")
        below.set(xlabel="probability of the predicted emotion", ylabel="clips")
        below.yaxis.get_major_locator().set_params(nbins=3, integer=True)
    return figure


def emotion_bars(summary: Mapping[str, Any], *, metrics: Sequence[str] = ("recall", "f1")) -> "Figure":
    """Scores of each emotion with their 95 % intervals over speakers.

    Args:
        summary: from `emogram.evaluation.summarise`.
        metrics: one to three of ``recall``, ``precision``, ``f1``.
    """
    emotions = summary["emotions"]
    with house_figure(2.2 + 0.8 * len(emotions), 3.8) as figure:
        axes = figure.subplots()
        width = 0.8 / len(metrics)
        for place, (metric, colour) in enumerate(zip(metrics, (BLUE, ORANGE, GREEN), strict=False)):
            known = [index for index, name in enumerate(emotions) if summary["per_emotion"][name][metric]]
            rows = [summary["per_emotion"][emotions[index]][metric] for index in known]
            middles = np.array(known) + (place - (len(metrics) - 1) / 2) * width
            values = 100 * np.array([row["value"] for row in rows])
            label = "F1" if metric == "f1" else metric
            axes.bar(middles, values, width=0.92 * width, color=colour, label=label)
            bounded = [index for index, row in enumerate(rows) if row["low"] is not None]
            ends = 100 * np.array([[rows[index]["low"], rows[index]["high"]] for index in bounded]).reshape(-1, 2).T
            errors = np.abs(ends - values[bounded])
            axes.errorbar(middles[bounded], values[bounded], errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
        clips = [f"{name}\n({summary['per_emotion'][name]['clips']})" for name in emotions]
        axes.set_xticks(range(len(emotions)), clips)
        axes.set(ylim=(0, 100), ylabel="%", title="Scores by emotion (clips)")
        axes.set_xlim(-0.6, len(emotions) - 0.4)
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="y")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(metrics), borderaxespad=0.2)
    return figure


def spectrogram_grid(examples: Sequence[Example], *, columns: int = 2, range_db: float = 80) -> "Figure":
    """Spectrograms side by side on one time axis and one colour scale.

    Bands are drawn as high as each other, as the network sees them; the axis tells their frequencies.

    Args:
        examples: one or more.
        columns: how many abreast.
        range_db: levels shown, down from the highest of all.
    """
    if not examples:
        raise ConfigurationError("spectrograms: no examples; give one or more")
    top = max(float(np.max(example.spec_db)) for example in examples)
    longest = max(example.spec_db.shape[1] * example.hop_s for example in examples)
    columns = min(columns, len(examples))
    rows = -(-len(examples) // columns)
    with house_figure(1.6 + 3.5 * columns, 0.7 + 1.9 * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for place, (axes, example) in enumerate(zip(panels.flat, examples, strict=False)):
            bands, frames = example.spec_db.shape
            extent = (0.0, frames * example.hop_s, -0.5, bands - 0.5)
            image = axes.imshow(
                example.spec_db,
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=top - range_db,
                vmax=top,
                extent=extent,
            )
            axes.set_title(example.title, parse_math=False)
            axes.set(xlim=(0, longest), facecolor="#F4F4F4")
            _kilohertz(axes, example.centre_hz)
            if place % columns == 0:
                axes.set_ylabel("frequency in kHz")
            if place + columns >= len(examples):
                axes.set_xlabel("time in s")
                axes.tick_params(labelbottom=True)
        for axes in panels.flat[len(examples) :]:
            axes.set_visible(False)
        figure.colorbar(image, ax=panels, fraction=0.04, pad=0.02, aspect=12 * rows).set_label("level in dB")
    return figure


@dataclass(frozen=True)
class Marked:
    """A score to show: its name, value and the ends of its interval (None without one), and whether it is the base."""

    name: str
    value: float
    low: float | None
    high: float | None
    is_base: bool = False
    verdict: str = ""


def intervals(scores: Sequence[Marked], *, label: str, title: str = "", scale: float = 100) -> "Figure":
    """Scores with their 95 % intervals, one below the other; a line marks the base, a colour and a shape each verdict.

    Args:
        scores: from the top down.
        label: of the axis.
        title: above the figure; wrapped.
        scale: 100 for percent.
    """
    if not scores:
        raise ConfigurationError("intervals: no scores to show; run the study first")
    looks = {"better": (BLUE, "^"), "worse": (ORANGE, "v")}
    heading = textwrap.fill(title, 68)
    with house_figure(7.2, 1.5 + 0.3 * len(scores) + 0.2 * heading.count("\n")) as figure:
        axes = figure.subplots()
        legend: dict[str, Any] = {}
        for row, score_ in enumerate(scores):
            colour, marker = (INK, "s") if score_.is_base else looks.get(score_.verdict, (GREY, "o"))
            if score_.low is not None and score_.high is not None:
                axes.plot([scale * score_.low, scale * score_.high], [row, row], "-", color=colour, linewidth=1.6)
            points = axes.plot(scale * score_.value, row, marker, color=colour, markersize=7, linestyle="none")
            legend.setdefault("base" if score_.is_base else score_.verdict or "no evidence", points[0])
            if score_.is_base:
                axes.axvline(scale * score_.value, color=INK, linewidth=0.9, linestyle=":")
        axes.set_yticks(range(len(scores)), [score_.name for score_ in scores])
        axes.set(ylim=(len(scores) - 0.4, -0.6), xlabel=label)
        axes.set_title(heading, x=0, ha="left")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(legend.values(), legend.keys(), loc="outside lower right", ncols=len(legend))
    return figure


def _white_grid(axes: "Axes", count: int) -> None:
    """White lines between the cells of a matrix."""
    edges = np.arange(count + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)


def _kilohertz(axes: "Axes", centre_hz: npt.NDArray[np.floating[Any]]) -> None:
    """Ticks at round frequencies, on an axis of band numbers."""
    bands = np.arange(len(centre_hz))
    kept: dict[float, float] = {}
    for khz in _KHZ_TICKS:
        band = float(np.interp(1000 * khz, centre_hz, bands))
        inside = centre_hz[0] <= 1000 * khz <= 1.02 * centre_hz[-1]
        if inside and all(abs(band - other) > 0.1 * len(centre_hz) for other in kept.values()):
            kept[khz] = band
    axes.set_yticks(list(kept.values()), [f"{khz:g}" for khz in kept])
