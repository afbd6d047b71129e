"""`emogram listen`, with a file in the microphone's place."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from emogram.audio import Wave
from emogram.cli import main
from tests.recognition.made_up import RATE, spoken
from tests.recognition.small_models import LABELS, content


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "tiny.onnx").write_bytes(content())
    soundfile.write(tmp_path / "call.wav", spoken(2.0, level=0.05), RATE)
    return ["listen", "--model", str(tmp_path / "tiny.onnx"), "--input", str(tmp_path / "call.wav")]


def test_json_has_a_line_a_moment_with_its_latency(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--fast", "--format", "json"]) == 0
    moments = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [moment["start_s"] for moment in moments] == [0.5 * n for n in range(11)]
    assert list(moments[0]["probabilities"]) == list(LABELS)
    assert [moment["speech"] > 0 for moment in moments[1:9:4]] == [True, False]
    latencies = sorted(moment["latency_ms"] for moment in moments)
    assert latencies[len(latencies) // 2] < 250


def test_lines_where_there_is_no_terminal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--fast", "--seconds", "1.6", "--hop", "0.25"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["0.0 to 1.0 s", "0.2 to 1.2 s", "0.5 to 1.5 s", "0.6 to 1.6 s"]


def test_bars_are_drawn_over_each_other_in_a_terminal(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert main([*arguments, "--fast", "--seconds", "1.5"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\x1b[4A") == 1
    assert shown.count("\x1b[2K") == 8
    assert "neutral  ███" in shown


def test_a_file_is_played_in_real_time(arguments: list[str]) -> None:
    start = time.perf_counter()
    assert main([*arguments, "--seconds", "1.2"]) == 0
    assert time.perf_counter() - start >= 1.2


def test_what_cannot_be_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    for given, status, problem in [
        (["listen", "--fast"], 2, "--fast: only a file"),
        ([*arguments, "--seconds", "-1"], 2, "--seconds: -1"),
        ([*arguments, "--hop", "9"], 2, "hop_s: 9"),
        (arguments[:3], 1, "[microphone]"),
        ([*arguments[:-1], "none.wav"], 1, "none.wav: does not exist"),
    ]:
        assert main(given) == status
        error = capsys.readouterr().err
        assert problem in error
        assert error.count("\n") == 1


def test_a_microphone_is_told_how_long_the_first_answer_takes(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ear:
        sample_rate = RATE

        def __init__(self, device: object) -> None:
            assert device is None

        def __enter__(self) -> "Ear":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __iter__(self) -> Iterator[Wave]:
            return iter([spoken(level=0.05)])

    monkeypatch.setattr("emogram.recognition.microphone.Microphone", Ear)
    assert main(arguments[:3]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("Listening: the first answer comes after 1 s of sound. Stop with Ctrl-C.")
    assert len(shown.out.splitlines()) == 3
