"""Figures show the numbers that they are given, and are the same file for the same numbers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emogram.errors import ConfigurationError, MissingExtraError
from emogram.evaluation import confusion_matrix, figures, score, summarise
from emogram.evaluation.style import write
from tests.evaluation.made_up import predictions

HISTORY = [
    {"epoch": 1, "train_loss": 2.0, "validation_loss": 1.9, "train_accuracy": 0.2, "validation_accuracy": 0.25},
    {"epoch": 2, "train_loss": 1.5, "validation_loss": 1.7, "train_accuracy": 0.4, "validation_accuracy": 0.35},
    {"epoch": 3, "train_loss": 1.0, "validation_loss": 1.8, "train_accuracy": 0.6, "validation_accuracy": 0.30},
]


STYLED: Any = ("font.size", "axes.titlelocation", "axes.spines.top", "legend.frameon", "svg.hashsalt", "grid.color")


def examples(count: int = 3) -> list[figures.Example]:
    mel = 700 * (10 ** (np.linspace(100, 2800, 64) / 2595) - 1)
    levels = np.linspace(-90, -10, 64 * 150).reshape(64, 150)
    return [figures.Example(f"clip {i}", levels[:, : 150 - 20 * i], 0.01, mel) for i in range(count)]


def heights(axes: Axes) -> list[float]:
    return [patch.get_height() for patch in axes.patches if isinstance(patch, Rectangle)]


def intervals(axes: Axes) -> list[list[float]]:
    lines = [collection for collection in axes.collections if isinstance(collection, LineCollection)]
    return [[float(end) for end in segment[:, 1]] for line in lines for segment in line.get_segments()]


def test_confusion_shows_counts_and_shares_of_the_row() -> None:
    made = predictions()
    counts = confusion_matrix(made)
    figure = figures.confusion(counts, made.emotions)
    axes = figure.axes[0]
    shown = [text.get_text() for text in axes.texts]
    for cell, label in zip(counts.ravel(), shown, strict=True):
        assert label.split("\n")[0] == str(cell)
    assert shown[0] == f"{counts[0, 0]}\n{100 * counts[0, 0] / counts[0].sum():.0f} %"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(made.emotions)
    assert axes.get_yticklabels()[0].get_text() == f"{made.emotions[0]} ({counts[0].sum()})"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true (clips)")


def test_confusion_with_an_emotion_without_clips() -> None:
    figure = figures.confusion([[3, 1], [0, 0]], ["neutral", "sad"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["3\n75 %", "1\n25 %", "0", "0"]
    with pytest.raises(ConfigurationError, match="shape"):
        figures.confusion([[3, 1]], ["neutral", "sad"])


def test_learning_curves_show_both_parts_and_the_epoch_kept() -> None:
    figure = figures.learning_curves(HISTORY, best_epoch=2)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation", "kept: epoch 2"]
    assert np.asarray(loss.lines[1].get_ydata()).tolist() == [1.9, 1.7, 1.8]
    assert np.asarray(accuracy.lines[0].get_ydata()).tolist() == pytest.approx([20, 40, 60])
    assert np.asarray(accuracy.lines[2].get_xdata()).tolist() == [2, 2]
    assert accuracy.get_ylim() == (0, 100)
    assert loss.get_ylim()[0] == 0
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 3


def test_learning_curves_of_one_epoch_without_accuracy() -> None:
    figure = figures.learning_curves([{"epoch": 1, "train_loss": 2.0}])
    assert figure.axes[0].lines[0].get_marker() == "o"
    assert len(figure.axes[1].lines) == 0
    with pytest.raises(ConfigurationError, match="no epochs"):
        figures.learning_curves([])


def test_reliability_diagram_draws_the_bins_with_clips() -> None:
    made = predictions()
    figure = figures.reliability_diagram(made)
    above, below = figure.axes
    filled = heights(below)
    assert sum(filled) == len(made)
    assert len(above.patches) == len(filled)
    assert f"{score(made)['ece']:.3f}" in above.get_title(loc="left")
    assert (above.get_xlim(), above.get_ylim()) == ((0, 1), (0, 1))


def test_emotion_bars_have_the_height_of_the_score_and_its_interval() -> None:
    found = summarise(predictions(n_speakers=5))
    figure = figures.emotion_bars(found, metrics=("precision", "recall", "f1"))
    axes = figure.axes[0]
    assert len(axes.patches) == 18
    sad = found["per_emotion"]["sad"]["precision"]
    assert heights(axes)[3] == pytest.approx(100 * sad["value"])
    ends = intervals(axes)[3]
    assert ends == pytest.approx([100 * sad["low"], 100 * sad["high"]])
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["precision", "recall", "F1"]


def test_emotion_bars_without_intervals_and_with_an_absent_emotion() -> None:
    made = predictions(n_speakers=2)
    made = made.take([i for i, truth in enumerate(made.truth) if truth != 2])
    axes = figures.emotion_bars(summarise(made), metrics=("f1",)).axes[0]
    assert len(axes.patches) == 5
    assert intervals(axes) == []
    assert axes.get_xticklabels()[2].get_text() == "happy\n(0)"


def test_spectrograms_share_time_and_levels() -> None:
    figure = figures.spectrogram_grid(examples())
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in drawn] == ["clip 0", "clip 1", "clip 2"]
    assert {axes.get_xlim() for axes in drawn} == {(0, 1.5)}
    assert {axes.images[0].get_clim() for axes in drawn} == {(-90, -10)}
    assert drawn[1].images[0].get_extent()[1] == pytest.approx(1.3)
    assert drawn[0].get_ylabel() == "frequency in kHz"
    assert [axes.get_xlabel() for axes in drawn] == ["", "time in s", "time in s"]
    assert figure.axes[-1].get_ylabel() == "level in dB"


def test_frequency_ticks_stand_at_their_band() -> None:
    (example,) = examples(1)
    axes = figures.spectrogram_grid([example]).axes[0]
    ticks = {tick.get_text(): place for place, tick in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)}
    assert {"0.5", "1", "2", "4"} <= set(ticks)
    band = int(ticks["1"])
    assert example.centre_hz[band] <= 1000 < example.centre_hz[band + 1]
    with pytest.raises(ConfigurationError, match="no examples"):
        figures.spectrogram_grid([])


@pytest.mark.parametrize(
    "name", ["confusion", "learning_curves", "reliability_diagram", "emotion_bars", "spectrogram_grid"]
)
def test_files_are_whole_alike_and_leave_nothing_behind(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    made = predictions(n_speakers=4, n_emotions=3)
    drawings: dict[str, Callable[[], Figure]] = {
        "confusion": lambda: figures.confusion(confusion_matrix(made), made.emotions),
        "learning_curves": lambda: figures.learning_curves(HISTORY),
        "reliability_diagram": lambda: figures.reliability_diagram(made),
        "emotion_bars": lambda: figures.emotion_bars(summarise(made)),
        "spectrogram_grid": lambda: figures.spectrogram_grid(examples()),
    }
    before = {key: rcParams[key] for key in STYLED}
    contents = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        svg, png = figures.save(drawings[name](), tmp_path / folder / f"{name}.png")
        assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert png.read_bytes().startswith(b"\x89PNG")
        contents.append((svg.read_bytes(), png.read_bytes()))
        assert sorted(file.name for file in (tmp_path / folder).iterdir()) == [f"{name}.png", f"{name}.svg"]
    assert contents[0] == contents[1]
    assert {key: rcParams[key] for key in STYLED} == before


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"emogram\[train\]"):
        figures.learning_curves(HISTORY)


def test_names_that_the_font_lacks_are_written_without_a_warning(tmp_path: Path) -> None:
    figure = figures.confusion([[3, 1], [0, 2]], ["neutral", "日本"])
    assert write(figure, tmp_path / "confusion.png").is_file()
