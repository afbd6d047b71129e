from collections.abc import Callable
from pathlib import Path

from emogram.corpora import check, scan

Record = Callable[..., Path]

BUNDLE = {
    "Ravdess/audio_speech_actors_01-24/Actor_01/03-01-05-01-01-01-01.wav": ("ravdess", "ravdess-01", "angry"),
    "Crema/1001_DFA_DIS_XX.wav": ("cremad", "cremad-1001", "disgust"),
    "Tess/OAF_angry/OAF_back_angry.wav": ("tess", "tess-OAF", "angry"),
    "Savee/DC_su01.wav": ("savee", "savee-DC", "surprised"),
}


def test_rows_carry_their_true_corpus(tmp_path: Path, record: Record) -> None:
    for name in BUNDLE:
        record(name)
    clips = scan("kaggle", tmp_path)
    assert {(clip.corpus, clip.speaker, clip.emotion) for clip in clips} == set(BUNDLE.values())
    assert [clip.clip_id for clip in clips] == sorted(clip.clip_id for clip in clips)


def test_check_expects_all_four_corpora_and_no_songs(tmp_path: Path, record: Record) -> None:
    for name in BUNDLE:
        record(name)
    report = check("kaggle", tmp_path)
    assert (report.clips, report.speakers, report.extra) == (4, 4, [])
    assert len(report.missing) == 12162 - 4
    assert not [clip_id for clip_id in report.missing if clip_id.startswith("ravdess/03-02")]
