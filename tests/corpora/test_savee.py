from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora import scan
from emogram.corpora.savee import official, read

Record = Callable[..., Path]


@pytest.mark.parametrize("name", ["ALL/DC_sa01.wav", "AudioData/DC/sa01.wav", "JE/DC_sa01.flac"])
def test_the_speaker_is_in_the_name_or_else_the_folder(name: str) -> None:
    clip = read(Path(name))
    assert clip is not None
    assert (clip.clip_id, clip.speaker, clip.sex) == ("savee/DC_sa01", "savee-DC", "male")
    assert (clip.emotion, clip.raw_label) == ("sad", "sa")


@pytest.mark.parametrize("name", ["a01.wav", "XX/a01.wav", "XX_a01.wav", "DC/s01.wav", "DC_a1.wav", "DC/info.wav"])
def test_other_names_are_not_savee(name: str) -> None:
    assert read(Path(name)) is None


def test_neutral_has_thirty_sentences() -> None:
    counts = Counter(clip_id.rstrip("0123456789") for clip_id in official(()))
    assert counts["savee/KL_n"] == 30
    assert counts["savee/KL_su"] == 15
    assert len(counts) == 28


def test_both_layouts_scan_alike(tmp_path: Path, record: Record) -> None:
    record("flat/JK_h03.wav", like="h03")
    record("official/JK/h03.wav", like="h03")
    flat, deep = (scan("savee", tmp_path / layout) for layout in ("flat", "official"))
    assert [(clip.clip_id, clip.sha256) for clip in flat] == [(clip.clip_id, clip.sha256) for clip in deep]


def test_the_folder_of_one_speaker_may_be_given_from_inside(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("KL/n30.wav")
    monkeypatch.chdir(tmp_path / "KL")
    assert [clip.clip_id for clip in scan("savee", ".")] == ["savee/KL_n30"]
