"""The picture of a timeline: the wave's envelope over a coloured band of emotions."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from emogram.audio import name_of
from emogram.emotions import EMOTIONS
from emogram.recognition.timeline import ENVELOPE_S
from emogram.writing import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emogram.recognition import Timeline

_COLOURS = {
    "neutral": "#9E9E9E",
    "calm": "#56B4E9",
    "happy": "#E6B800",
    "sad": "#0072B2",
    "angry": "#D55E00",
    "fearful": "#7B4EA3",
    "disgust": "#009E73",
    "surprised": "#E78AC3",
    "boredom": "#8C6D4F",
}
"""Okabe and Ito's colours as far as they go; every segment that has room for it carries its name, too."""

_OTHERS = ("#B15928", "#1B9E77", "#666666", "#A6761D")
_INK, _PALE = "#222222", "#B8C4CC"
_STYLE: Any = {"font.size": 9, "axes.edgecolor": "#8A8A8A", "svg.hashsalt": "emogram", "svg.fonttype": "path"}
_WIDTH_IN, _HEIGHT_IN, _DPI = 11.0, 3.0, 150
_COLUMNS = 1600
_CHARACTER_IN = 0.078


def write_picture(timeline: "Timeline", path: Path) -> None:
    """Draw a timeline as ``.png`` or ``.svg``, the same bytes for the same timeline.

    Raises:
        OSError: the file cannot be written.
    """
    with rc_context(_STYLE):
        figure = draw(timeline)
        kind = path.suffix[1:].lower()
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
        with whole(path) as partial, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from")  # of names in scripts that the font lacks
            figure.savefig(partial, format=kind, dpi=_DPI, metadata=metadata, facecolor="white")


def draw(timeline: "Timeline") -> Figure:
    """The picture as a figure that no window knows of."""
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
    wave, band = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_wave(wave, timeline)
    _draw_band(band, timeline)
    title = f"{name_of(Path(timeline.file).name)}   ({timeline.model})"
    wave.set_title(title, loc="left", fontweight="bold", parse_math=False)
    band.set_xlim(0, timeline.duration_s)
    band.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 1.5, 2, 3, 5, 6, 10]))
    band.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(value)))
    band.set_xlabel("time, min:s" if timeline.duration_s < 3600 else "time, h:min:s")
    used = [emotion for emotion in timeline.emotions if any(item.emotion == emotion for item in timeline.segments)]
    patches = [Patch(facecolor=_colour(emotion), label=f"{emotion} {timeline.shares[emotion]:.0%}") for emotion in used]
    if any(item.uncertain for item in timeline.segments):
        patches.append(Patch(facecolor="white", edgecolor=_INK, hatch="////", linewidth=0.5, label="uncertain"))
    if patches:
        figure.legend(handles=patches, loc="outside right center", frameon=False, title="of the speech")
    return figure


def _draw_wave(axes: "Axes", timeline: "Timeline") -> None:
    envelope = np.asarray(timeline.envelope)
    width = -(-len(envelope) // _COLUMNS)
    peaks = np.pad(envelope, (0, -len(envelope) % width)).reshape(-1, width).max(axis=1)
    time_s = (np.arange(len(peaks)) + 0.5) * width * ENVELOPE_S
    axes.fill_between(time_s, -peaks, peaks, color=_PALE, linewidth=0)
    for item in timeline.segments:
        inside = (time_s >= item.start_s - width * ENVELOPE_S) & (time_s <= item.end_s + width * ENVELOPE_S)
        axes.fill_between(time_s[inside], -peaks[inside], peaks[inside], color=_colour(item.emotion), linewidth=0)
    axes.set_ylim(-1.05 * peaks.max(initial=1e-3), 1.05 * peaks.max(initial=1e-3))
    axes.set_yticks([])
    axes.set_ylabel("amplitude")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="x", length=0, labelbottom=False)


def _draw_band(axes: "Axes", timeline: "Timeline") -> None:
    inches_a_second = 0.8 * _WIDTH_IN / timeline.duration_s
    for item in timeline.segments:
        length_s = item.end_s - item.start_s
        hatch: dict[str, Any] = {"hatch": "////", "edgecolor": "white"} if item.uncertain else {}
        axes.broken_barh([(item.start_s, length_s)], (0, 1), facecolor=_colour(item.emotion), linewidth=0, **hatch)
        if length_s * inches_a_second > _CHARACTER_IN * len(item.emotion) + 0.05:
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
            middle = item.start_s + length_s / 2
            axes.text(middle, 0.5, item.emotion, ha="center", va="center", fontsize=8, color=_INK, bbox=box)
    if not timeline.segments:
        axes.text(timeline.duration_s / 2, 0.5, "no speech found", ha="center", va="center", color=_INK)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_ylabel("emotion")
    axes.spines[["top", "right", "left"]].set_visible(False)


def _colour(emotion: str) -> str:
    if emotion in EMOTIONS:
        return _COLOURS[emotion]
    return _OTHERS[sum(map(ord, emotion)) % len(_OTHERS)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest:02.0f}" if float(rest).is_integer() else f"{rest:04.1f}"
    return f"{hours}:{minutes:02d}:{shown}" if hours else f"{minutes}:{shown}"
