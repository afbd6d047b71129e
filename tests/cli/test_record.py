"""`emogram record`, with files and with a microphone that is none."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import soundfile

from emogram.audio import Wave
from emogram.cli import main
from emogram.cli.record import _interval
from emogram.corpora import scan
from emogram.errors import AudioError
from emogram.recognition.recordings import TABLE, Recordings
from tests.recognition.made_up import RATE, syllables
from tests.recognition.small_models import content

Call = Callable[..., tuple[int, str, str]]


class Room:
    """A microphone in a room where somebody speaks all the time, begun by a click."""

    sample_rate = 8000
    opened: list[object]

    def __init__(self, device: object) -> None:
        self.opened.append(device)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Wave]:
        yield np.ones(1600, np.float32)
        wave = syllables(5.0, 0.3, rate=8000, top_hz=3500)
        yield from (wave[start : start + 400] for start in range(0, len(wave), 400))


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `emogram record` beside a model and three recordings, into the folder ``mine``; what is typed is given."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.onnx").write_bytes(content())
    soundfile.write("loud.wav", np.stack([syllables(1.2, 0.4, rate=22_050)] * 2, axis=1), 22_050)
    soundfile.write("soft.flac", syllables(1.0, 0.1), RATE)
    soundfile.write("silent.wav", np.zeros(RATE), RATE)
    Room.opened = []
    monkeypatch.setattr("emogram.recognition.microphone.Microphone", Room)

    def run_command(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main(["record", "-m", "tiny.onnx", "-o", "mine", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run_command


def test_files_are_recognised_kept_and_counted(call: Call) -> None:
    arguments = ("--from", "loud.wav", "--from", "soft.flac", "--emotion", "happy,sad", "--speaker", "Max M")
    status, output, errors = call(*arguments)
    assert (status, errors) == (0, "")
    first, second = Recordings("mine")
    assert [(kept.emotion, kept.speaker, kept.duration_s) for kept in (first, second)] == [
        ("happy", "Max_M", 1.2),
        ("sad", "Max_M", 1.0),
    ]
    lines = output.splitlines()
    assert lines[0] == f"happy: {'agrees' if first.agrees else 'differs'}, {lines[0].split(', ', 1)[1]}"
    assert lines[0].endswith(f"mine/{first.path}")
    assert f"{first.predicted} {first.confidence:.0%}" in lines[0]
    assert soundfile.info(f"mine/{first.path}").samplerate == 22_050
    agreeing = first.agrees + second.agrees
    assert lines[3].startswith(f"{agreeing} of 2 agree, {agreeing / 2:.0%} (95 % interval ")
    assert lines[5].split()[:2] == ["meant", "\\"]
    assert [line.split()[0] for line in lines[6:]] == ["happy", "sad"]
    assert {clip.emotion for clip in scan("folder", "mine")} == {clip.emotion for clip in scan("csv", f"mine/{TABLE}")}


def test_one_emotion_is_enough_for_all_files(call: Call) -> None:
    status, _, errors = call("--from", "loud.wav", "--from", "soft.flac", "-e", "Boredom")
    assert status == 0
    assert errors == "note: tiny was never taught boredom, and cannot recognise it\n"
    assert [kept.emotion for kept in Recordings("mine")] == ["boredom"] * 2
    assert Recordings("mine").agreement() == (0, 2)


def test_a_silent_file_is_told_and_not_kept(call: Call) -> None:
    status, output, errors = call("--from", "silent.wav", "-e", "sad")
    assert (status, output) == (1, "no recordings yet\n")
    assert errors.startswith("sad: not kept, the recording is silent: no sample")
    assert not Path("mine").exists()


def test_a_microphone_is_asked_for_one_emotion_after_the_other(call: Call) -> None:
    status, output, errors = call("--seconds", "0.5", "-d", "3", typed="\ns\n\n")
    assert status == 0
    assert Room.opened == [3, 3, 3]
    assert [line.split(".")[0] for line in errors.splitlines() if line.startswith("Say")] == [
        "Say something neutral",
        "Say something happy",
        "Say something sad",
    ]
    kept = list(Recordings("mine"))
    assert [each.emotion for each in kept] == ["neutral", "sad"]
    samples, rate = soundfile.read(f"mine/{kept[0].path}")
    assert (len(samples), rate) == (4000, 8000)
    assert samples.max() < 0.5  # without the click
    assert "of 2 agree" in output


def test_it_stops_when_told_and_at_the_end_of_what_is_typed(call: Call) -> None:
    for typed in ("q\n", ""):
        status, output, errors = call("-e", "sad,happy", typed=typed)
        assert (status, output) == (0, "no recordings yet\n")
        assert errors.count("Say something") == 1


def test_a_terminal_sees_the_level(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    status, _, errors = call("-e", "sad", "--seconds", "0.5", typed="\n")
    assert status == 0
    assert "█" * 20 in errors
    assert "s left" in errors


def no_device(_: object) -> None:
    raise AudioError("microphone", "there is no input device that works", "connect one")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--from", "loud.wav"], 2, "--emotion: 0 for 1 files; say what was meant, for example angry"),
        (["--from", "loud.wav", "-e", "sad,happy"], 2, "--emotion: 2 for 1 files; name one for all files"),
        (["--from", "loud.wav", "-e", "agry"], 2, "emotion: 'agry' is none, did you mean 'angry'?"),
        (["--from", "loud.wav", "-e", "sad", "--speaker", "../x"], 2, "speaker: '../x' is no name"),
        (["--from", "none.wav", "-e", "sad"], 1, "none.wav: does not exist"),
        (["--seconds", "0"], 2, "--seconds: 0 is not between"),
        ([], 1, "microphone: there is no input device that works; connect one"),
    ],
)
def test_what_cannot_be_is_one_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, message: str
) -> None:
    monkeypatch.setattr("emogram.recognition.microphone.Microphone", no_device)
    given, output, errors = call(*arguments)
    assert (given, output, errors.count("\n")) == (status, "", 1)
    assert message in errors
    assert not Path("mine").exists()


def test_the_interval_is_that_of_wilson() -> None:
    """Values of Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    for (agreeing, total), interval in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert _interval(agreeing, total) == pytest.approx(interval, abs=1e-4)
