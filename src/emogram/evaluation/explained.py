"""The picture of an explanation: the spectrogram in grey, what spoke for the emotion in orange and against it in blue."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emogram.audio import Wave, name_of
from emogram.evaluation.style import BLUE, GREY, INK, ORANGE, PALE, house_figure
from emogram.recognition import Explanation
from emogram.recognition.cells import fades, mel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS_HZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16_000)
_WINDOW_S = 0.032
_RANGE_DB = 70.0
_DARKEST = 0.25
"""Grey of the loudest sound, 0 being black: colours over it must be seen."""

_OPAQUE = 0.85
_ROWS, _COLUMNS = 160, 640
_FOR, _AGAINST = np.array([213.0, 94.0, 0.0]), np.array([0.0, 114.0, 178.0])

Image = npt.NDArray[np.uint8]


def window_of(explanation: Explanation, wave: Wave, sample_rate: int) -> Wave:
    """The part [T] of a whole recording that is explained."""
    start, end = (round(moment_s * sample_rate) for moment_s in (explanation.start_s, explanation.end_s))
    return wave[start:end]


def overlay(explanation: Explanation, window: Wave, sample_rate: int, *, rows: int, columns: int) -> Image:
    """The picture itself, [rows, columns, 3], the lowest frequency first; rows are even on the mel scale.

    The cells fade into each other as they did when they were taken out.

    Args:
        explanation: of the window.
        window: [T], as `window_of` gives it.
        sample_rate: in Hz.
        rows: pixels upwards.
        columns: pixels to the right.
    """
    highest = float(mel(explanation.frequencies_hz[-1]))
    mels = (np.arange(rows) + 0.5) / rows * highest
    places_s = explanation.start_s + (np.arange(columns) + 0.5) / columns * (explanation.end_s - explanation.start_s)
    grey = 255 * (1 - (1 - _DARKEST) * _levels(window, sample_rate, mels, columns))
    evidence = _evidence(explanation, mels, places_s)
    opacity = _OPAQUE * np.abs(evidence)[..., None]
    colour = np.where(evidence[..., None] > 0, _FOR, _AGAINST)
    # Colour and grey are multiplied, so that what is loud stays dark and what is quiet stays light.
    tinted = grey[..., None] * (1 - opacity * (1 - colour / 255))
    return np.asarray(tinted.round(), np.uint8)


def _levels(window: Wave, sample_rate: int, mels: npt.NDArray[np.float64], columns: int) -> npt.NDArray[np.float64]:
    """How loud it is, 0 to 1 over `_RANGE_DB`, [rows, columns]."""
    size = 2 ** round(np.log2(_WINDOW_S * sample_rate))
    centres = ((np.arange(columns) + 0.5) / columns * len(window)).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(window, size), size)[centres + size // 2]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(size)))
    levels_db = 20 * np.log10(np.maximum(spectra, 1e-9))
    centres_mel = mel(np.fft.rfftfreq(size, 1 / sample_rate).astype(np.float64))
    picture = np.stack([np.interp(mels, centres_mel, column) for column in levels_db], axis=1)
    return np.asarray(np.clip((picture - picture.max()) / _RANGE_DB + 1, 0, 1))


def _evidence(
    explanation: Explanation, mels: npt.NDArray[np.float64], places_s: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The evidence at each pixel, -1 to 1, [rows, columns]."""
    by_row = fades(mels, np.asarray(mel(explanation.frequencies_hz)))
    by_column = fades(places_s, explanation.times_s)
    largest = float(np.abs(explanation.evidence).max()) or 1.0
    return np.asarray(by_row.T @ (explanation.evidence / largest) @ by_column)


def draw(explanation: Explanation, wave: Wave, sample_rate: int, *, title: str = "") -> "Figure":
    """The picture with its axes, the probabilities beside it, and what the explanation is worth below.

    Args:
        explanation: of a recording.
        wave: the whole recording, [T].
        sample_rate: in Hz.
        title: above it; the name of the recording where not given.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    window = window_of(explanation, wave, sample_rate)
    with house_figure(9.2, 3.9) as figure:
        picture, bars = figure.subplots(1, 2, width_ratios=(3.1, 1))
        image = overlay(explanation, window, sample_rate, rows=_ROWS, columns=_COLUMNS)
        top = float(mel(explanation.frequencies_hz[-1]))
        picture.imshow(image, origin="lower", aspect="auto", extent=(explanation.start_s, explanation.end_s, 0, top))
        ticks = [hz for hz in TICKS_HZ if hz <= explanation.frequencies_hz[-1]]
        picture.set_yticks(np.asarray(mel(np.array(ticks, np.float64))), [f"{hz}" for hz in ticks])
        picture.set_xlabel("s")
        picture.set_ylabel("Hz")
        name = title or name_of(explanation.file).rpartition("/")[2]
        picture.set_title(f"{name}: what spoke for {explanation.emotion}", parse_math=False)
        _draw_key(picture)
        _draw_bars(bars, explanation)
        figure.supxlabel("\n".join(textwrap.wrap(worth(explanation), 118)), fontsize=8.5, x=0.01, ha="left")
    return figure


def _draw_key(axes: "Axes") -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415

    patches = [Patch(facecolor=ORANGE, label="for"), Patch(facecolor=BLUE, label="against")]
    axes.legend(handles=patches, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, handlelength=1, columnspacing=1)


def _draw_bars(axes: "Axes", explanation: Explanation) -> None:
    emotions = list(explanation.probabilities)
    values = list(explanation.probabilities.values())
    colours = [ORANGE if emotion == explanation.emotion else PALE for emotion in emotions]
    places = range(len(emotions))
    axes.barh(places, values, color=colours, height=0.7)
    for place, value in zip(places, values, strict=True):
        axes.text(value + 0.02, place, f"{value:.0%}", va="center", fontsize=8.5, color=INK)
    axes.set_yticks(list(places), emotions)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_color(GREY)
    axes.tick_params(axis="y", length=0)
    axes.set_title("probability")


def worth(explanation: Explanation) -> str:
    """What the explanation is about and what it is worth, in a sentence or two."""
    check = explanation.check
    words = f"{explanation.emotion.capitalize()} {explanation.probability:.0%}; {check}."
    if not check.passed:
        words += " The answer hangs on these cells no more than on any others: the picture says nothing."
    elif check.strongest > explanation.probability / 2:
        words += " The answer stands without them: no small part decides it."
    if not explanation.is_whole:
        words += f" One window of {explanation.duration_s:.1f} s is shown, the one that speaks most for it."
    return words
