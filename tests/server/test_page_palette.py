"""The colours of the page: the same as in pictures of timelines, and told apart from what lies under them."""

import re
from itertools import product

import pytest

from emogram.emotions import EMOTIONS
from emogram.report import timeline_picture
from emogram.server.page import FOLDER

_TEXT = (FOLDER / "palette.css").read_text(encoding="utf-8")
_LIGHT, _DARK = _TEXT.split("@media (prefers-color-scheme: dark)")
_OTHERS = tuple(f"other-{n}" for n in range(len(timeline_picture._OTHERS)))


def _values(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", text))


PALETTES = {"light": _values(_LIGHT), "dark": _values(_LIGHT) | _values(_DARK)}


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _luminance(colour: tuple[float, ...]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _between(palette: dict[str, str], one: str, other: str) -> float:
    return _contrast(_rgb(palette[one]), _rgb(palette[other]))


def test_contrast_is_computed_as_known() -> None:
    assert _contrast(_rgb("#FFFFFF"), _rgb("#000000")) == pytest.approx(21)
    assert _contrast(_rgb("#777777"), _rgb("#FFFFFF")) == pytest.approx(4.48, abs=0.01)


def test_every_emotion_has_the_colour_of_pictures() -> None:
    palette = PALETTES["light"]
    assert {emotion: palette[emotion] for emotion in EMOTIONS} == timeline_picture._COLOURS
    assert tuple(palette[name] for name in _OTHERS) == timeline_picture._OTHERS


@pytest.mark.parametrize("scheme", PALETTES)
def test_text_stands_out_from_what_lies_under_it(scheme: str) -> None:
    palette = PALETTES[scheme]
    under = ("paper", "surface", "sunk")
    pairs = [*product(("ink", "muted"), under), *product(("bad", "good"), ("surface",)), ("warn-ink", "warn-surface")]
    pairs += [*product(("ink", "muted"), ("spectrogram-0",)), ("paper", "ink")]
    assert {pair: ratio for pair in pairs if (ratio := _between(palette, *pair)) < 4.5} == {}


@pytest.mark.parametrize("scheme", PALETTES)
def test_edges_of_bars_and_fields_stand_out(scheme: str) -> None:
    palette = PALETTES[scheme]
    under = ("surface", "sunk")
    pairs = list(product([f"{name}-edge" for name in (*EMOTIONS, *_OTHERS)], under))
    pairs += [*product(("outline", "focus"), ("paper", "surface")), ("record", "spectrogram-0")]
    assert {pair: ratio for pair in pairs if (ratio := _between(palette, *pair)) < 3} == {}


@pytest.mark.parametrize("scheme", PALETTES)
def test_counts_stand_out_from_the_fullest_tint_of_their_cell(scheme: str) -> None:
    palette = PALETTES[scheme]
    part = float(palette["tint-most"].removesuffix("%")) / 100
    for emotion in (*EMOTIONS, *_OTHERS):
        both = zip(_rgb(palette[emotion]), _rgb(palette["surface"]), strict=True)
        tint = tuple(part * fill + (1 - part) * under for fill, under in both)
        assert _contrast(tint, _rgb(palette["ink"])) >= 4.5, emotion
