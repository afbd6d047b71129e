"""`emogram predict --timeline`: formats, several recordings, pictures, refusals."""

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import soundfile

from emogram.cli import main
from tests.recognition.made_up import RATE, spoken
from tests.recognition.small_models import content


@pytest.fixture
def call(tmp_path: Path) -> str:
    soundfile.write(tmp_path / "call.wav", spoken(1.5, level=0.02), RATE)
    return str(tmp_path / "call.wav")


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "tiny.onnx").write_bytes(content())
    return ["predict", "--model", str(tmp_path / "tiny.onnx"), "--timeline"]


@pytest.mark.parametrize(
    ("output", "begin"), [("table", "{}: 4"), ("srt", "1\n00:00:00,"), ("vtt", "WEBVTT\n\n00:"), ("audacity", "0.0")]
)
def test_one_recording_in_each_format(
    command: list[str], call: str, output: str, begin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, call, "--format", output]) == 0
    assert capsys.readouterr().out.startswith(begin.format(call))


def test_several_recordings_as_json_and_csv(command: list[str], call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, call, "none.wav", call, "-f", "json"]) == 1
    shown = capsys.readouterr()
    first, missing, second = json.loads(shown.out)
    assert first == second
    assert len(first["segments"]) == 2
    assert missing["error"].startswith("does not exist")
    assert "none.wav: does not exist" in shown.err
    assert main([*command, call, call, "-f", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [call] * 4


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_is_drawn(
    command: list[str], call: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / f"call.{suffix}"
    assert main([*command, call, "--plot", str(picture)]) == 0
    head = picture.read_bytes()[:200]
    assert head.startswith(b"\x89PNG") or b"<?xml" in head
    assert [path for path in tmp_path.iterdir() if path.suffix == ".partial"] == []


def test_a_name_is_no_formula(command: list[str], call: str, tmp_path: Path) -> None:
    named = tmp_path / r"$\no_formula$.wav"
    shutil.copy(call, named)
    assert main([*command, str(named), "--plot", str(tmp_path / "call.png")]) == 0


def test_a_name_that_the_font_lacks_is_drawn_without_a_warning(command: list[str], call: str, tmp_path: Path) -> None:
    named = tmp_path / "日本.wav"
    shutil.copy(call, named)
    assert main([*command, str(named), "--plot", str(tmp_path / "call.png")]) == 0


def test_what_cannot_be_is_one_line(
    command: list[str], call: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, problem in [
        ([call, call, "-f", "srt"], "--format srt: takes one recording, not 2"),
        ([call, call, "--plot", "a.png"], "--plot: takes one recording"),
        ([call, "--plot", "a.gif"], "a.gif ends neither"),
        ([call, "--plot", str(tmp_path / "none" / "a.png")], "does not exist"),
    ]:
        assert main([*command, *given]) == 2
        shown = capsys.readouterr()
        assert problem in shown.err
        assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert main(["predict", call, "-f", "vtt"]) == 2
    assert "add --timeline" in capsys.readouterr().err
    assert main(["predict", call, "--plot", "a.png"]) == 2
    assert "add --timeline" in capsys.readouterr().err


def test_without_matplotlib_the_extra_is_named(
    command: list[str], call: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "emogram.report.timeline_picture", None)
    assert main([*command, call, "--plot", "a.png"]) == 1
    assert "emogram[train]" in capsys.readouterr().err
