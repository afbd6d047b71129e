"""Sheets show what they are given, in its place: labels within the paper, no panel over another."""

import itertools
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from emogram.evaluation.style import write
from emogram.pictures.sheet import COLOUR_BAR, sheet
from emogram.pictures.views import Shown, Version, look
from emogram.spectrograms import SPECTROGRAMS

RATE = 16_000


def shown(name: str, types: list[str], *titles: str, seconds: float = 0.6) -> Shown:
    rng = np.random.default_rng(len(name))
    versions = [
        Version(title, (0.1 * rng.standard_normal(round(seconds * RATE))).astype(np.float32))
        for title in titles or ("as recorded",)
    ]
    settings = [SPECTROGRAMS[kind].model_validate({}) for kind in types]
    looks = [[look(version, chosen, chosen.build(RATE), RATE) for chosen in settings] for version in versions]
    return Shown(name, versions, looks)


def assert_tidy(figure: Figure) -> None:
    """Every label lies on the paper, and no axes or title touches another axes."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    paper = figure.bbox
    for axes in figure.axes:
        box = axes.get_tightbbox(renderer)
        assert box is not None
        assert paper.x0 <= box.x0 < box.x1 <= paper.x1
        assert paper.y0 <= box.y0 < box.y1 <= paper.y1
    for one, other in itertools.permutations(figure.axes, 2):
        for title in (child for child in one.get_children() if isinstance(child, Text) and child.get_text()):
            assert not _overlap(title.get_window_extent(renderer), other.get_window_extent(renderer)), title.get_text()
        assert not _overlap(one.get_window_extent(renderer), other.get_window_extent(renderer))


def _overlap(one: object, other: object) -> bool:
    return bool(one.overlaps(other)) and one.width > 0  # type: ignore[attr-defined]


def test_all_types_have_their_panels_with_axes_and_bars() -> None:
    figure = sheet([shown("clip", list(SPECTROGRAMS))], sample_rate=RATE)
    channels = sum(len(SPECTROGRAMS[name].model_validate({}).build(RATE).channels) for name in SPECTROGRAMS)
    pictures = [axes for axes in figure.axes if axes.images]
    waves = [axes for axes in figure.axes if axes.collections and not axes.images and axes.get_label() != COLOUR_BAR]
    bars = [axes for axes in figure.axes if axes.get_label() == COLOUR_BAR]
    assert (len(pictures), len(waves), len(bars)) == (channels, 4, channels)
    assert {axes.get_title("left") for axes in pictures} >= {"logmel", "deltas: delta", "modulation: 16 Hz"}
    by_title = {axes.get_title("left"): bar for axes, bar in zip(pictures, bars, strict=True)}
    assert by_title["logmel"].get_ylabel() == "dB"
    assert by_title["magnitude"].get_ylabel() == "magnitude"
    assert_tidy(figure)


def test_names_are_no_formulas(tmp_path: Path) -> None:
    figure = sheet([shown(r"$\no_formula$", ["logmel"], r"100 $_{$")], sample_rate=RATE)
    write(figure, tmp_path / "sheet.png")


def test_before_and_after_share_axes_and_colours() -> None:
    figure = sheet([shown("clip", ["logmel", "chroma"], "as recorded", "speed × 1.1", "noise")], sample_rate=RATE)
    pictures = [axes for axes in figure.axes if axes.images]
    assert len(pictures) == 6
    assert len({axes.images[0].get_clim() for axes in pictures[:3]}) == 1
    assert len({axes.get_xlim() for axes in figure.axes if axes.get_label() != COLOUR_BAR}) == 1
    assert [axes.get_title("left") for axes in figure.axes[:3]] == ["as recorded", "speed × 1.1", "noise"]
    assert_tidy(figure)


@pytest.mark.parametrize("count", [2, 5])
def test_many_clips_go_on_below(count: int) -> None:
    figure = sheet([shown(f"clip {number}", ["logmel"]) for number in range(count)], sample_rate=RATE)
    assert len([axes for axes in figure.axes if axes.images]) == count
    assert {axes.get_title("left") for axes in figure.axes} >= {f"clip {number}" for number in range(count)}
    assert_tidy(figure)


@pytest.mark.parametrize("seconds", [1 / RATE, 0.05, 30.0])
def test_any_length_can_be_drawn(seconds: float) -> None:
    assert_tidy(sheet([shown("clip", ["logmel", "mfcc"], seconds=seconds)], sample_rate=RATE))


def test_a_picture_is_upright_and_in_time() -> None:
    silence, noise = np.zeros(RATE, np.float32), np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    version = Version("as recorded", np.concatenate([silence, noise]))
    settings = SPECTROGRAMS["logmel"].model_validate({})
    clip = Shown("clip", [version], [[look(version, settings, settings.build(RATE), RATE)]])
    [axes] = [axes for axes in sheet([clip], sample_rate=RATE).axes if axes.images]
    image = axes.images[0]
    left, right, bottom, top = image.get_extent()
    assert (left, right) == pytest.approx((-0.005, 2.005))
    assert image.origin == "lower"
    assert bottom < top
    values = np.asarray(image.get_array())
    assert values[:, :95].max() < values[:, 110:].min()


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_files_are_whole_and_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(sheet([shown("clip", ["logmel"])], sample_rate=RATE), tmp_path / folder / f"clip{suffix}")
    first, second = (tmp_path / folder / f"clip{suffix}" for folder in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == [f"clip{suffix}"]
    if suffix == ".svg":
        assert ElementTree.parse(first).getroot().tag == "{http://www.w3.org/2000/svg}svg"
