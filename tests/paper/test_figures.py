"""Figures of the paper: nothing sticks out of them."""

from dataclasses import replace

import pytest

from emogram.paper import figures
from emogram.paper.stored import Result, read_results
from tests.paper import made_up

LONG = "whisper-cnn (whisper-cnn-single-emobox)"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    store = made_up.write_store(tmp_path_factory.mktemp("store") / "results")
    return [replace(result, label=f"{LONG}, {at}") for at, result in enumerate(read_results(store)[0])]


def test_legends_of_long_names_lie_within_the_figure(results: list[Result]) -> None:
    for draw in (figures.emotions, figures.speakers):
        figure, _ = draw(results)
        figure.canvas.draw()
        [legend] = figure.legends
        inside, whole = legend.get_window_extent(), figure.bbox
        assert inside.x0 >= whole.x0
        assert inside.x1 <= whole.x1
        assert inside.y1 <= whole.y1 + 1
