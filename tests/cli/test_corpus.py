import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram.cli import main
from emogram.corpora import FIELDS, Clip, read_manifest, retrieval

Captured = pytest.CaptureFixture[str]


def record(path: Path, *, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.3, 0.3, 800), 16_000)
    return path


@pytest.fixture
def savee(tmp_path: Path) -> Path:
    """Two SAVEE clips, equal byte for byte, and one that cannot be read."""
    record(tmp_path / "savee" / "DC_a01.wav")
    record(tmp_path / "savee" / "JE_su02.wav")
    (tmp_path / "savee" / "KL_n03.wav").write_bytes(b"no audio")
    return tmp_path / "savee"


def test_list_names_every_corpus_with_its_labels(capsys: Captured) -> None:
    assert main(["corpus", "list"]) == 0
    out = capsys.readouterr().out
    assert "ravdess-song" in out
    assert main(["corpus", "list", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["emodb"]["labels"]["W"] == "angry"
    assert facts["tess"]["clips"] == 2800
    assert all(name in out and fact["licence"] in out for name, fact in facts.items())


def test_check_prints_one_json_object_and_says_by_its_status_what_is_missing(savee: Path, capsys: Captured) -> None:
    assert main(["corpus", "check", "savee", str(savee), "--json"]) == 1
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert captured.err == ""
    assert (report["clips"], report["speakers"]) == (2, 2)
    assert report["emotions"] == {"angry": 1, "surprised": 1}
    assert len(report["missing"]) == 477
    assert report["unreadable"] == ["KL_n03.wav"]
    assert report["duplicates"] == [["DC_a01.wav", "JE_su02.wav"]]
    assert report["extra"] == report["clipped"] == report["silent"] == report["repeated"] == []


def test_check_tells_a_person_the_same(savee: Path, capsys: Captured) -> None:
    assert main(["corpus", "check", "savee", str(savee)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "savee: not complete"
    assert "clips       2 of 480" in lines
    assert "  savee/DC_a02" in lines
    assert "  … and 472 more; all of them with --json" in lines
    assert "  DC_a01.wav = JE_su02.wav" in lines
    assert any("KL_n03.wav" in line and "convert it" in line for line in lines)


def test_check_says_that_a_folder_holds_no_audio(tmp_path: Path, savee: Path, capsys: Captured) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("none")
    assert main(["corpus", "check", "savee", str(tmp_path / "notes")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "clips       0 of 480"
    assert lines[2].startswith(f"  {tmp_path / 'notes'} holds no audio, at any depth, of .aac, .aif")
    assert lines[2].endswith("; give the folder that holds the recordings")
    assert main(["corpus", "check", "tess", str(savee)]) == 1
    assert "holds no audio" not in capsys.readouterr().out


def test_a_complete_corpus_has_status_0(tmp_path: Path, capsys: Captured) -> None:
    record(tmp_path / "calls" / "anna" / "wut" / "1.wav")
    assert main(["corpus", "check", "folder", str(tmp_path / "calls"), "--label", "Wut=angry"]) == 0
    assert capsys.readouterr().out.startswith("folder: complete\nclips       1\nspeakers    1\nemotions    angry 1\n")


def test_scan_writes_a_manifest_and_names_what_it_leaves_out(savee: Path, tmp_path: Path, capsys: Captured) -> None:
    output = tmp_path / "clips.csv"
    assert main(["corpus", "scan", "savee", str(savee), "-o", str(output)]) == 1
    assert [clip.clip_id for clip in read_manifest(output)] == ["savee/DC_a01", "savee/JE_su02"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == f"2 clips, written to {output}"
    assert captured.err.splitlines()[1].startswith(f"emogram: error: {savee}/KL_n03.wav: ")
    (savee / "KL_n03.wav").unlink()
    assert main(["corpus", "scan", "savee", str(savee)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["emotion"] for row in rows] == ["angry", "surprised"]
    assert list(rows[0]) == list(FIELDS)


def test_kinds_part_speech_from_song(tmp_path: Path, capsys: Captured) -> None:
    record(tmp_path / "03-01-01-01-01-01-01.wav")
    record(tmp_path / "03-02-01-01-01-01-01.wav")
    assert main(["corpus", "scan", "ravdess", str(tmp_path), "--kind", "song"]) == 0
    assert [row["kind"] for row in csv.DictReader(capsys.readouterr().out.splitlines())] == ["song"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["check", "ravdes", "."], 2, "corpus: 'ravdes' is not known, did you mean 'ravdess'?"),
        (["scan", "emo-db", "."], 2, "did you mean 'emodb'?"),
        (["download", "tes", "."], 2, "did you mean 'tess'?"),
        (["check", "folder", ".", "--label", "wut"], 2, "--label: 'wut' is not LABEL=EMOTION"),
        (["check", "folder", ".", "--label", "wut=angri"], 2, "'wut' is mapped to 'angri', which is no emotion here"),
        (["check", "tess", ".", "--label", "ps=happy"], 2, "'tess' has its own label table"),
        (["check", "tess", "/nowhere"], 1, "/nowhere: no such folder"),
        (["scan", "tess", "."], 1, "no clip of 'tess' found; its files are named like OAF_angry/OAF_back_angry.wav"),
        (["check", "tess"], 2, "PATH"),
        (["chekc", "tess", "."], 2, "chekc"),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments: list[str], status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["corpus", *arguments]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["list", "check", "scan", "download"])
def test_every_command_has_examples(command: str, capsys: Captured) -> None:
    assert main(["corpus", command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples:" in out
    assert f"emogram corpus {command}" in out


def test_a_corpus_that_cannot_be_downloaded_comes_with_the_steps(tmp_path: Path, capsys: Captured) -> None:
    assert main(["corpus", "download", "cremad", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("1. install Git LFS")
    assert "git clone --depth 1 https://github.com/CheyneyComputerScience/CREMA-D" in captured.out
    assert captured.err == "emogram: error: cremad: cannot be downloaded; follow the steps above\n"
    assert not list(tmp_path.iterdir())


def test_download_prints_the_folder_and_says_where_no_checksum_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(retrieval, "_fetch_archive", lambda archive, directory, *_: directory / archive.folder)
    assert main(["corpus", "download", "tess", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/TESS\n"
    assert "licence: CC BY-NC-ND 4.0" in captured.err
    assert "has no published checksum" in captured.err
    assert f"emogram corpus check tess {tmp_path}" in captured.err


def test_progress_is_shown_only_where_a_person_looks(
    savee: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (savee / "KL_n03.wav").unlink()
    main(["corpus", "scan", "savee", str(savee)])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    main(["corpus", "scan", "savee", str(savee)])
    assert capsys.readouterr().err == "\r1/2 clips\r2/2 clips\n"


def test_a_manifest_row_is_a_clip(savee: Path, capsys: Captured) -> None:
    main(["corpus", "scan", "savee", str(savee)])
    row = next(csv.DictReader(capsys.readouterr().out.splitlines()))
    clip = Clip(**{**row, "duration_s": float(row["duration_s"])})  # type: ignore[arg-type]
    assert (clip.clip_id, clip.duration_s, Path(clip.path)) == ("savee/DC_a01", 0.05, savee / "DC_a01.wav")


def test_real_tess_folder_is_scanned(emogram_data: Path, capsys: Captured) -> None:
    assert main(["corpus", "check", "tess", str(emogram_data / "originals" / "tess"), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["clips"], report["unreadable"], len(report["missing"])) == (6, [], 2794)
