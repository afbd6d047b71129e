"""File names: safe everywhere, and never two clips in one file."""

import re
from pathlib import Path

import pytest

from emogram.corpora import Clip
from emogram.pictures.gallery import folder_of, make_folders, name_items


def clip(clip_id: str, emotion: str = "sad") -> Clip:
    return Clip(
        clip_id=clip_id,
        path="x.wav",
        corpus=clip_id.split("/", maxsplit=1)[0],
        speaker="",
        emotion=emotion,
        raw_label=emotion,
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


@pytest.mark.parametrize(
    "emotion", ["../../../../escaped", "..", "/etc", "a/../../b", "c:\\x", ".hidden", "x\0y", "e" * 300]
)
def test_no_emotion_leads_out_of_the_gallery(emotion: str, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b" / "out"
    items = name_items([(clip("calls/one", emotion), "train")])
    assert re.fullmatch(r"train/[A-Za-z0-9+-][A-Za-z0-9._+-]*/calls-one", items[0].place)
    make_folders(out, items, ["png"], [emotion])
    assert items[0].path(out, "png").parent.is_dir()
    assert [path.name for path in (out / "images" / "train").iterdir()] == [folder_of(emotion)]
    assert [path.name for path in tmp_path.rglob("*") if not path.is_relative_to(out)] == ["a", "b"]


def test_emotions_that_are_plainly_alike_have_a_folder_each() -> None:
    assert len({folder_of(emotion) for emotion in ("a/b", "a-b", "a\\b", "a.b")}) == 4
    assert folder_of("pleasant surprise") == "pleasant surprise"
