"""The corpora as they are on this machine, complete; lossy copies are decoded in part, for they take long."""

from collections import Counter
from pathlib import Path

import pytest

from emogram.corpora import check, get, scan


@pytest.mark.parametrize(
    ("name", "folder", "clips"),
    [
        ("ravdess-speech", "ravdess/speech", 1440),
        ("ravdess-song", "ravdess/song", 1012),
        ("ravdess", "ravdess", 2452),
        ("tess", "tess", 2800),
        ("emodb", "emodb", 535),
    ],
)
def test_no_clip_is_missing_or_unknown(emogram_data: Path, name: str, folder: str, clips: int) -> None:
    corpus = get(name)
    found = {clip.clip_id for clip in corpus.find(emogram_data / folder)}
    assert found == corpus.official((corpus.kind,) if corpus.kind else ())
    assert len(found) == clips


def test_ravdess_speech_is_complete_and_its_equal_clips_are_reported(emogram_data: Path) -> None:
    report = check("ravdess-speech", emogram_data / "ravdess" / "speech")
    assert report.complete
    assert (report.clips, report.speakers) == (1440, 24)
    assert report.emotions == {"neutral": 96} | dict.fromkeys(get("ravdess").emotions[1:], 192)
    pair = [f"Actor_07/03-01-03-01-02-0{take}-07.flac" for take in (1, 2)]
    assert report.duplicates == [pair]
    assert report.extra == report.repeated == report.unreadable == report.silent == []


def test_emodb_is_complete(emogram_data: Path) -> None:
    report = check("emodb", emogram_data / "emodb")
    assert report.complete
    assert (report.clips, report.speakers, report.duplicates, report.extra) == (535, 10, [], [])


@pytest.mark.parametrize(
    ("name", "folder", "clips"),
    [("ravdess-song", "ravdess/song/Actor_24", 44), ("tess", "tess/OAF_neutral", 200)],
)
def test_compressed_copies_are_read(emogram_data: Path, name: str, folder: str, clips: int) -> None:
    rows = scan(name, emogram_data / folder)
    assert len(rows) == clips
    assert all(1 < clip.duration_s < 8 for clip in rows)
    assert len(Counter(clip.sha256 for clip in rows)) == clips


def test_the_originals_are_read_and_the_equal_ones_reported(emogram_data: Path) -> None:
    report = check("ravdess", emogram_data / "originals" / "ravdess")
    assert (report.clips, report.unreadable) == (5, [])
    pair = [f"speech/Actor_07/03-01-03-01-02-0{take}-07.wav" for take in (1, 2)]
    assert report.duplicates == [pair]
    assert check("emodb", emogram_data / "originals" / "emodb").clips == 2


def test_an_original_and_its_copy_are_the_same_clip(emogram_data: Path) -> None:
    originals = {clip.clip_id: clip for clip in scan("ravdess-speech", emogram_data / "originals" / "ravdess")}
    copies = {clip.clip_id: clip for clip in scan("ravdess-speech", emogram_data / "ravdess" / "speech" / "Actor_07")}
    for clip_id in originals.keys() & copies.keys():
        assert originals[clip_id].duration_s == pytest.approx(copies[clip_id].duration_s, abs=1e-3)
        assert originals[clip_id].speaker == copies[clip_id].speaker
    assert len(originals.keys() & copies.keys()) == 2
