"""File names: safe everywhere, and never two clips in one file."""

import re

import pytest

from emogram.corpora import Clip
from emogram.pictures.gallery import name_items


def clip(clip_id: str) -> Clip:
    return Clip(
        clip_id=clip_id,
        path="x.wav",
        corpus=clip_id.split("/", maxsplit=1)[0],
        speaker="",
        emotion="sad",
        raw_label="sad",
    )


def names(*clip_ids: str) -> list[str]:
    return [item.name for item in name_items([(clip(clip_id), "train") for clip_id in clip_ids])]


def test_a_name_tells_corpus_and_stem() -> None:
    assert names("ravdess/03-01-05-01-02-01-12") == ["ravdess-03-01-05-01-02-01-12"]


def test_one_stem_in_two_corpora_is_two_files() -> None:
    assert names("tess/a", "emodb/a") == ["tess-a", "emodb-a"]


@pytest.mark.parametrize(
    "pair",
    [
        ("calls/a-b", "calls-a/b"),
        ("calls/A", "calls/a"),
        ("calls/ä", "calls/ö"),
        ("x/" + 300 * "a", "x/" + 299 * "a" + "b"),
    ],
)
def test_names_that_would_be_alike_are_told_apart(pair: tuple[str, str]) -> None:
    first, second = names(*pair)
    assert first.lower() != second.lower()
    assert max(len(first), len(second)) < 200
    assert names(*reversed(pair)) == [second, first]


@pytest.mark.parametrize(
    "clip_id", ["calls/anna b/take: 1?", "x/../../etc/passwd", "x/.hidden", "x/\udcff", "ä", "x/" + "é" * 400]
)
def test_names_are_safe_everywhere(clip_id: str) -> None:
    [name] = names(clip_id)
    assert re.fullmatch(r"[A-Za-z0-9+-][A-Za-z0-9._+-]*", name)
    assert "/" not in name
