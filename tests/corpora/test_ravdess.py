from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora import check, scan
from emogram.corpora.ravdess import RAVDESS, SPEECH, official, read

Record = Callable[..., Path]


def test_a_name_says_all(tmp_path: Path) -> None:
    clip = read(tmp_path / "03-02-05-02-01-02-12.ogg")
    assert clip is not None
    assert clip.clip_id == "ravdess/03-02-05-02-01-02-12"
    assert (clip.speaker, clip.sex, clip.kind) == ("ravdess-12", "female", "song")
    assert (clip.emotion, clip.raw_label, clip.intensity) == ("angry", "05", "strong")
    assert (clip.text, clip.take) == ("Kids are talking by the door", "02")


def test_odd_actors_are_men() -> None:
    clip = read(Path("03-01-08-01-02-01-23.wav"))
    assert clip is not None
    assert (clip.sex, clip.emotion, clip.text) == ("male", "surprised", "Dogs are sitting by the door")


@pytest.mark.parametrize(
    "name",
    [
        "01-01-05-02-01-02-12.wav",  # audio and video
        "03-03-05-02-01-02-12.wav",
        "03-01-09-02-01-02-12.wav",
        "03-01-05-02-01-02-25.wav",
        "03-01-05-02-01-02-00.wav",
        "03-01-05-02-01-02-12 (1).wav",
        "03-01-05-02-01-02-12-x.wav",
        "٠٣-٠١-٠٥-٠٢-٠١-٠٢-١٢.wav",  # digits, but not ASCII ones
    ],
)
def test_other_names_are_not_ravdess_audio(name: str) -> None:
    assert read(Path(name)) is None


def test_actor_18_has_no_songs() -> None:
    songs = Counter(clip_id[-2:] for clip_id in official(["song"]))
    assert set(songs.values()) == {44}
    assert len(songs) == 23
    assert "18" not in songs
    assert Counter(clip_id[-2:] for clip_id in official(["speech"]))["18"] == 60


def test_neutral_is_never_strong() -> None:
    assert not [clip_id for clip_id in official([]) if clip_id[14:19] == "01-02"]


def test_a_song_of_actor_18_is_extra(tmp_path: Path, record: Record) -> None:
    record("03-02-05-02-01-02-18.wav")
    assert check("ravdess", tmp_path).extra == ["03-02-05-02-01-02-18.wav"]


def test_speech_and_song_in_one_tree_are_told_apart(tmp_path: Path, record: Record) -> None:
    record("Actor_01/03-01-01-01-01-01-01.wav")
    record("Actor_01/03-02-01-01-01-01-01.wav")
    assert [clip.kind for clip in scan("ravdess", tmp_path)] == ["speech", "song"]
    assert [clip.kind for clip in scan("ravdess-song", tmp_path)] == ["song"]
    assert [clip.kind for clip in scan("ravdess", tmp_path, kind="speech")] == ["speech"]
    assert check("ravdess-speech", tmp_path).extra == []
    assert len(check("ravdess", tmp_path).missing) == 2450
    assert len(check("ravdess", tmp_path, kind="song").missing) == 1011


def test_where_only_one_part_is_found_only_that_part_is_expected(tmp_path: Path, record: Record) -> None:
    record("Actor_01/03-02-01-01-01-01-01.wav")
    assert len(check("ravdess", tmp_path).missing) == 1011


def test_the_nested_copy_of_the_kaggle_bundle_counts_once(tmp_path: Path, record: Record) -> None:
    nested = "audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav"
    record("Actor_01/03-01-01-01-01-01-01.wav")
    record(nested, like="Actor_01/03-01-01-01-01-01-01.wav")
    (clip,) = scan("ravdess-speech", tmp_path)
    assert clip.path == str(tmp_path / "Actor_01/03-01-01-01-01-01-01.wav")
    report = check("ravdess-speech", tmp_path)
    assert (report.clips, report.repeated, report.extra) == (1, [nested], [])
    assert report.duplicates == [["Actor_01/03-01-01-01-01-01-01.wav", nested]]


def test_songs_have_six_emotions() -> None:
    assert len(RAVDESS.emotions) == len(SPEECH.emotions) == 8
    assert not {"disgust", "surprised"} & {clip_id.split("-")[2] for clip_id in official(["song"])}
