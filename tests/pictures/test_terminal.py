"""Pictures in a terminal: its width, its colours, and plain characters where it has none."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from emogram.pictures import terminal
from emogram.pictures.views import Shown, Version, look
from emogram.spectrograms import SPECTROGRAMS

RATE = 16_000
COLOUR = re.compile(r"\x1b\[([\d;]*)m")


def clip(*types: str, seconds: float = 1.0, hz: float = 2000.0) -> Shown:
    wave = (0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)
    version = Version("as recorded", wave)
    settings = [SPECTROGRAMS[name].model_validate({}) for name in types]
    return Shown("clip", [version], [[look(version, chosen, chosen.build(RATE), RATE) for chosen in settings]])


def drawn(*clips: Shown, width: int = 80, encoding: str = "utf-8", **options: object) -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    settings = {"force_terminal": True, "color_system": "truecolor", **options}
    console = Console(file=file, width=width, **settings)  # type: ignore[arg-type]
    terminal.draw(console, clips, sample_rate=RATE)
    file.seek(0)
    return file.read().splitlines()


def plain(lines: list[str]) -> list[str]:
    return [COLOUR.sub("", line) for line in lines]


@pytest.mark.parametrize("width", [40, 80, 133])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_is_wider_than_the_terminal_and_pictures_fill_it(width: int, colour: bool) -> None:
    lines = plain(drawn(clip("logmel", "hpss", "mfcc"), width=width, no_color=not colour))
    assert max(map(len, lines)) <= width
    if colour:
        assert {len(line) for line in lines if "▀" in line} == {width - 1}


def test_colours_are_of_24_bits_and_of_the_values() -> None:
    lines = drawn(clip("logmel"))
    blocks = [line for line in lines if "▀" in line]
    assert len(blocks) == 16
    assert all(re.search(r"38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+", line) for line in blocks)
    brightness = [sum(int(part) for code in COLOUR.findall(line) for part in code.split(";")[2:5]) for line in blocks]
    ticks = [line[:6].strip() for line in plain(blocks)]
    assert abs(int(np.argmax(brightness)) - ticks.index("2000")) <= 1


def test_no_color_and_other_alphabets_are_plain_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    lines = drawn(clip("logmel"))
    assert not any("▀" in line or "38;2" in line for line in lines)
    monkeypatch.delenv("NO_COLOR")
    assert not any("▀" in line for line in drawn(clip("logmel"), color_system=None))
    for line in drawn(clip("logmel", "chroma"), encoding="ascii"):
        line.encode("ascii")
    [loudest] = [line for line in plain(lines) if line.startswith("  2000 ")]
    assert loudest.count("#") > 60


def test_ticks_are_in_hertz_and_seconds() -> None:
    lines = plain(drawn(clip("logmel", seconds=2.0), width=60))
    assert {"2000", "4000"} <= {line[:6].strip() for line in lines}
    times = lines[-1]
    columns = 60 - 8
    assert times.startswith("     s ")
    for label in ("0", "0.5", "1"):
        assert times.index(f" {label}{' ' * (len(label) == 1)}") + 1 == pytest.approx(
            7 + float(label) / 2 * columns, abs=1
        )


def test_clips_of_one_call_share_their_time_axis() -> None:
    long, short = (
        next(line for line in plain(drawn(clip("logmel", seconds=2.0), clip("logmel")))[start:] if "▀" in line)
        for start in (0, 21)
    )
    assert short.count("▀") == pytest.approx(long.count("▀") / 2, abs=1)


@pytest.mark.parametrize("seconds", [1 / RATE, 0.01, 20.0])
def test_any_length_can_be_drawn(seconds: float) -> None:
    assert max(map(len, plain(drawn(clip("logmel", seconds=seconds), width=50)))) <= 50


def test_shares_keep_the_mean() -> None:
    values = np.random.default_rng(0).random((13, 29))
    for rows, columns in ((4, 7), (13, 29), (32, 80)):
        assert terminal._resized(values, rows, columns).mean() == pytest.approx(values.mean(), rel=0.02)
    assert terminal._resized(values, 13, 29) == pytest.approx(values)
