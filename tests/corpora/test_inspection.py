import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram.corpora import check, scan
from emogram.errors import AudioError, ConfigurationError

Record = Callable[..., Path]


def test_scan_gives_duration_and_hash_in_the_order_of_clip_ids(tmp_path: Path, record: Record) -> None:
    record("z/03a01Wa.wav", seconds=0.5)
    record("a/16a01Ec.wav", rate=48_000, seconds=0.25)
    clips = scan("emodb", tmp_path, workers=3)
    assert [clip.clip_id for clip in clips] == ["emodb/03a01Wa", "emodb/16a01Ec"]
    assert [clip.duration_s for clip in clips] == [0.5, 0.25]
    assert clips[0].sha256 == hashlib.sha256(Path(clips[0].path).read_bytes()).hexdigest()
    assert scan("emodb", tmp_path, workers=1) == clips


def test_scan_raises_the_first_unreadable_clip_or_hands_it_over(tmp_path: Path, record: Record) -> None:
    record("03a01Wa.wav")
    (tmp_path / "03a01Fa.wav").write_bytes(b"no audio")
    with pytest.raises(AudioError, match=r"03a01Fa\.wav"):
        scan("emodb", tmp_path)
    refused: list[AudioError] = []
    assert [clip.clip_id for clip in scan("emodb", tmp_path, on_unreadable=refused.append)] == ["emodb/03a01Wa"]
    assert [error.source for error in refused] == [str(tmp_path / "03a01Fa.wav")]


def test_a_clip_longer_than_training_hears_is_flagged(tmp_path: Path, record: Record) -> None:
    record("03a01Wa.wav")
    soundfile.write(tmp_path / "03a01Fa.wav", np.full(601 * 4000, 0.1, np.float32), 4000)
    wrong = f"{tmp_path / '03a01Fa.wav'}: is longer than the 600 s allowed; cut it into parts, or leave it out"
    with pytest.raises(AudioError) as caught:
        scan("emodb", tmp_path)
    assert str(caught.value) == wrong
    report = check("emodb", tmp_path)
    assert (report.clips, report.unreadable, report.problems) == (1, ["03a01Fa.wav"], {"03a01Fa.wav": wrong})


def test_progress_counts_every_file(tmp_path: Path, record: Record) -> None:
    for version in "abc":
        record(f"03a01W{version}.wav")
    seen: list[tuple[int, int]] = []
    scan("emodb", tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_check_says_what_is_wrong_with_each_file(tmp_path: Path, record: Record) -> None:
    record("03a01Wa.wav", like="same")
    record("03a01Nc.wav", like="same")
    record("copy of 03a01Wa.wav", like="same")
    record("other/03a01Wa.wav", like="other")
    record("03a02Fc.wav")
    soundfile.write(tmp_path / "03a02Nc.wav", np.zeros(800), 16_000)
    soundfile.write(tmp_path / "03a02Ta.wav", np.sign(np.sin(np.arange(800))), 16_000)
    (tmp_path / "03a02Wb.wav").write_bytes(b"")
    report = check("emodb", tmp_path)
    assert (report.official, report.clips, report.speakers) == (535, 5, 1)
    assert report.emotions == {"neutral": 2, "happy": 1, "sad": 1, "angry": 1}
    assert list(report.emotions) == ["neutral", "happy", "sad", "angry"]
    assert len(report.missing) == 535 - 6
    assert report.extra == ["copy of 03a01Wa.wav"]
    assert report.repeated == ["other/03a01Wa.wav"]
    assert report.duplicates == [["03a01Nc.wav", "03a01Wa.wav", "copy of 03a01Wa.wav"]]
    assert report.unreadable == ["03a02Wb.wav"]
    assert "is empty" in report.problems["03a02Wb.wav"]
    assert report.silent == ["03a02Nc.wav"]
    assert report.clipped == ["03a02Ta.wav"]
    assert not report.complete
    assert json.loads(json.dumps(report.as_dict()))["missing"] == report.missing


def test_neither_duplicates_nor_extra_files_make_a_corpus_incomplete(tmp_path: Path, record: Record) -> None:
    counts = {"a": 15, "d": 15, "f": 15, "h": 15, "n": 30, "sa": 15, "su": 15}
    sounds = {label: record(f"{label}.wav").read_bytes() for label in counts}
    for speaker in ("DC", "JE", "JK", "KL"):
        for label, count in counts.items():
            for number in range(1, count + 1):
                name = f"{speaker}_{label}{number:02d}.wav"
                (tmp_path / name).write_bytes(sounds[label])
    report = check("savee", tmp_path)
    assert report.complete
    assert (report.clips, report.missing, len(report.duplicates)) == (480, [], 7)
    assert report.extra == sorted(f"{label}.wav" for label in counts)


def test_a_link_to_a_clip_is_no_further_clip(tmp_path: Path, record: Record) -> None:
    record("03a01Wa.wav")
    (tmp_path / "loop").symlink_to(tmp_path)
    report = check("emodb", tmp_path)
    assert (report.clips, report.repeated, report.duplicates) == (1, [], [])


@pytest.mark.parametrize("options", [{"kind": "opera"}, {"workers": 0}])
def test_options_that_cannot_be_are_refused(tmp_path: Path, record: Record, options: dict[str, object]) -> None:
    record("03a01Wa.wav")
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        scan("emodb", tmp_path, **options)  # type: ignore[arg-type]
