from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora import check, scan
from emogram.corpora.folder import own_name
from emogram.errors import ConfigurationError, CorpusError

Record = Callable[..., Path]


def rows(root: Path, **options: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(clip.clip_id, clip.speaker, clip.emotion) for clip in scan("folder", root, labels=options.get("labels"))]


def test_a_folder_per_emotion_knows_no_speakers(tmp_path: Path, record: Record) -> None:
    record("My Calls/Anger/1.wav")
    record("My Calls/sad/2.flac")
    assert rows(tmp_path / "My Calls") == [("my-calls/Anger/1", "", "angry"), ("my-calls/sad/2", "", "sad")]


def test_speaker_then_emotion_is_detected(tmp_path: Path, record: Record) -> None:
    record("calls/anna/angry/1.wav")
    record("calls/Max M/happiness/deep/1.wav")
    assert rows(tmp_path / "calls") == [
        ("calls/Max M/happiness/deep/1", "calls-Max_M", "happy"),
        ("calls/anna/angry/1", "calls-anna", "angry"),
    ]


def test_emotion_then_speaker_is_detected(tmp_path: Path, record: Record) -> None:
    record("calls/angry/anna/1.wav")
    record("calls/sad/anna/1.wav")
    assert {speaker for _, speaker, _ in rows(tmp_path / "calls")} == {"calls-anna"}


def test_the_raw_label_is_kept_and_a_map_reads_it(tmp_path: Path, record: Record) -> None:
    record("calls/Wut/1.wav")
    record("calls/Freude/2.wav")
    clips = scan("folder", tmp_path / "calls", labels={"wut": "angry", "FREUDE": "happy"})
    assert [(clip.raw_label, clip.emotion) for clip in clips] == [("Freude", "happy"), ("Wut", "angry")]


def test_a_folder_that_is_no_emotion_is_named_with_its_remedy(tmp_path: Path, record: Record) -> None:
    record("calls/angry/1.wav")
    record("calls/furios/2.wav")
    with pytest.raises(CorpusError, match="calls/furios: 'furios' is no known emotion; rename the folder, or map it"):
        scan("folder", tmp_path / "calls")


def test_an_unknown_emotion_can_be_mapped_or_kept(tmp_path: Path, record: Record) -> None:
    record("calls/smug/1.wav")
    with pytest.raises(
        CorpusError, match=r"map it with: --label smug=EMOTION, to one of neutral, .*, or to itself: --label smug=smug$"
    ):
        scan("folder", tmp_path / "calls")
    assert [clip.emotion for clip in scan("folder", tmp_path / "calls", labels={"smug": "smug"})] == ["smug"]


def test_a_file_outside_the_layout_is_named(tmp_path: Path, record: Record) -> None:
    record("calls/anna/angry/1.wav")
    record("calls/loose.wav")
    with pytest.raises(CorpusError, match=r"loose\.wav: lies outside the speaker/emotion folders"):
        scan("folder", tmp_path / "calls")
    with pytest.raises(CorpusError, match="lies outside the one folder per emotion"):
        scan("folder", tmp_path / "calls" / "anna" / "angry")


def test_a_compressed_copy_beside_its_original_is_the_same_clip(tmp_path: Path, record: Record) -> None:
    record("calls/angry/1.wav")
    record("calls/angry/1.flac")
    assert [Path(clip.path).suffix for clip in scan("folder", tmp_path / "calls")] == [".flac"]
    assert check("folder", tmp_path / "calls").repeated == ["angry/1.wav"]


def test_the_name_of_a_known_corpus_is_not_taken() -> None:
    assert own_name("RAVDESS") == "own-ravdess"
    assert own_name("Überall_7") == "berall-7"
    assert own_name("日本") == "own"


def test_check_counts_and_expects_nothing(tmp_path: Path, record: Record) -> None:
    record("calls/angry/1.wav")
    (tmp_path / "calls" / "angry" / "2.wav").write_bytes(b"RIFF")
    report = check("folder", tmp_path / "calls")
    assert (report.official, report.clips, report.missing, report.extra) == (0, 1, [], [])
    assert report.unreadable == ["angry/2.wav"]
    assert not report.complete


def test_an_empty_folder_holds_no_clips(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no clip of 'folder' found; its files are named like anna/angry"):
        scan("folder", tmp_path)


def test_official_corpora_take_no_label_map(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'emodb' has its own label table"):
        scan("emodb", tmp_path, labels={"W": "angry"})
