from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora import check, scan
from emogram.corpora.cremad import DEMOGRAPHICS, official, read
from emogram.errors import AudioError, CorpusError

Record = Callable[..., Path]

HEADER = "ActorID,Age,Sex,Race,Ethnicity\n"


def test_a_name_says_all() -> None:
    clip = read(Path("AudioWAV/1001_IEO_ANG_HI.wav"))
    assert clip is not None
    assert (clip.clip_id, clip.speaker) == ("cremad/1001_IEO_ANG_HI", "cremad-1001")
    assert (clip.emotion, clip.raw_label, clip.intensity, clip.text) == ("angry", "ANG", "HI", "IEO")
    assert (clip.sex, clip.age) == ("", "")


@pytest.mark.parametrize("stem", ["1040_ITH_SAD_X", "1040_ITH_SAD_XX"])
def test_the_misnamed_clip_is_one_clip_also_where_it_was_put_right(stem: str) -> None:
    clip = read(Path(f"{stem}.wav"))
    assert clip is not None
    assert (clip.clip_id, clip.intensity) == ("cremad/1040_ITH_SAD_X", "XX")
    assert clip.clip_id in official(())


@pytest.mark.parametrize(
    "name", ["1092_DFA_ANG_XX.wav", "1000_DFA_ANG_XX.wav", "1001_DFA_SUR_XX.wav", "1001_DFA_ANG.wav"]
)
def test_other_names_are_not_cremad(name: str) -> None:
    assert read(Path(name)) is None


def test_twenty_clips_of_the_grid_were_never_released() -> None:
    ids = official(())
    for stem in ("1008_WSI_ANG_XX", "1009_MTI_NEU_XX", "1019_ITH_SAD_XX", "1002_TIE_NEU_XX", "1076_ITS_NEU_XX"):
        assert f"cremad/{stem}" not in ids
    assert {"cremad/1001_IEO_NEU_XX", "cremad/1001_IEO_SAD_LO", "cremad/1017_IWW_FEA_XX"} <= ids
    assert "cremad/1001_DFA_SAD_LO" not in ids


@pytest.mark.parametrize("place", [DEMOGRAPHICS, f"AudioWAV/{DEMOGRAPHICS}"])
@pytest.mark.parametrize("root", ["", "AudioWAV"])
def test_sexes_and_ages_come_from_the_table_where_there_is_one(
    tmp_path: Path, record: Record, place: str, root: str
) -> None:
    record("AudioWAV/1001_DFA_ANG_XX.wav")
    record("AudioWAV/1002_DFA_ANG_XX.wav")
    record("AudioWAV/1003_DFA_ANG_XX.wav")
    rows = "1001,51,Male,Caucasian,Not Hispanic\n1002,21,Female,Caucasian,Hispanic\n"
    (tmp_path / place).write_text("\ufeff" + HEADER + rows, encoding="utf-8")
    clips = scan("cremad", tmp_path / root)
    assert [(clip.sex, clip.age) for clip in clips] == [("male", "51"), ("female", "21"), ("", "")]


@pytest.mark.parametrize("content", [b"Actor;Age\n1001;51\n", HEADER.encode() + b"1001\n", b"\xff\xfe\x00\x01"])
def test_a_broken_table_is_named(tmp_path: Path, record: Record, content: bytes) -> None:
    record("1001_DFA_ANG_XX.wav")
    (tmp_path / DEMOGRAPHICS).write_bytes(content)
    with pytest.raises(CorpusError, match=f"{DEMOGRAPHICS}: cannot be read as columns ActorID, Age, Sex"):
        scan("cremad", tmp_path)


def test_a_clone_without_lfs_is_told_what_to_do(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 68000\n"
    (tmp_path / "1001_DFA_ANG_XX.wav").write_text(pointer)
    with pytest.raises(AudioError, match="git lfs pull"):
        scan("cremad", tmp_path)
    report = check("cremad", tmp_path)
    assert report.unreadable == ["1001_DFA_ANG_XX.wav"]
    assert "git lfs pull" in report.problems["1001_DFA_ANG_XX.wav"]


def test_equal_clips_of_different_emotion_are_reported_and_do_not_count_as_fault(
    tmp_path: Path, record: Record
) -> None:
    record("1006_TIE_HAP_XX.wav", like="same")
    record("1006_TIE_NEU_XX.wav", like="same")
    report = check("cremad", tmp_path)
    assert report.duplicates == [["1006_TIE_HAP_XX.wav", "1006_TIE_NEU_XX.wav"]]
    assert report.clips == 2


def test_of_the_two_forms_in_the_repository_the_lossless_one_counts(tmp_path: Path, record: Record) -> None:
    record("AudioWAV/1001_DFA_ANG_XX.wav")
    (tmp_path / "AudioMP3").mkdir()
    (tmp_path / "AudioMP3" / "1001_DFA_ANG_XX.mp3").touch()
    assert [clip.path for clip in scan("cremad", tmp_path)] == [str(tmp_path / "AudioWAV/1001_DFA_ANG_XX.wav")]
    assert check("cremad", tmp_path).repeated == ["AudioMP3/1001_DFA_ANG_XX.mp3"]
