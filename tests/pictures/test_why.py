"""Explanations in a terminal, with colours and without."""

import io
import re

import pytest
from rich.console import Console

from emogram.pictures.why import draw_why
from emogram.recognition import Explanation
from tests.recognition.ears import bursts, ear_for_a_pitch
from tests.recognition.made_up import RATE


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return ear_for_a_pitch().explain(bursts())


def drawn(explanation: Explanation, *, encoding: str = "utf-8", **options: object) -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    settings = {"force_terminal": True, "color_system": "truecolor", "width": 60, **options}
    draw_why(Console(file=file, **settings), explanation, bursts(), sample_rate=RATE)  # type: ignore[arg-type]
    file.seek(0)
    return file.read().splitlines()


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]


def test_colours_fill_the_width(explanation: Explanation) -> None:
    lines = plain(drawn(explanation))
    pictures = [line for line in lines if "▀" in line]
    assert (len(pictures), {len(line) for line in pictures}) == (16, {59})
    assert [line[:6].strip() for line in pictures if line[:6].strip()] == ["8000", "4000", "2000", "1000", "500", "250"]
    assert lines[0] == str(explanation)[: len(lines[0])]
    assert any(line.startswith("  happy  ████") and line.endswith("100%") for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_without_colours_the_strongest_cell_stands_out(
    explanation: Explanation, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    lines = plain(drawn(explanation, encoding=encoding, no_color=True))
    assert not any("▀" in line for line in lines)
    [first, *_] = [line for line in lines[2:] if "####" in line]
    assert 7 + 0.45 * 52 < first.index("#") < 7 + 0.55 * 52  # at 1.0 s of 2 s
    assert max(map(len, lines)) <= 60
