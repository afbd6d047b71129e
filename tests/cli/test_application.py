"""The command line as a whole: exit status, one-line errors, suggestions, clean streams."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from emogram import __version__
from emogram.cli import application, main
from emogram.errors import AudioError, ConfigurationError


def run(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "emogram", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"emogram {__version__}\n", "")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    output, errors = capsys.readouterr()
    assert "predict" in output
    assert errors == ""


def test_every_command_has_examples_in_its_help() -> None:
    commands = typer.main.get_command(application.build())
    leaves = _leaves(commands)
    assert ("predict",) in leaves
    for path, text in leaves.items():
        assert "Examples:" in text, f"emogram {' '.join(path)} --help shows no examples"
        assert f"emogram {' '.join(path)}" in text


def _leaves(command: object, path: Sequence[str] = ()) -> dict[tuple[str, ...], str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return {tuple(path): getattr(command, "help", "") or ""}
    return {key: text for name, child in inner.items() for key, text in _leaves(child, [*path, name]).items()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing command; see: emogram --help"),
        (["predikt"], "No such command 'predikt'. Did you mean 'predict'?; see: emogram --help"),
        (["predict"], "Missing argument 'FILE|DIR|-'; see: emogram predict --help"),
        (
            ["predict", "--modle", "x"],
            "No such option: --modle (Possible options: --model); see: emogram predict --help",
        ),
        (
            ["predict", "x", "--format", "jsn"],
            "Invalid value for '--format' / '-f': 'jsn' is not one of 'table', 'json', 'csv', 'srt', 'vtt', 'audacity'; "
            "see: emogram predict --help",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"emogram: error: {message}\n")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (AudioError("a.wav", "is odd", "fix it"), 1, "a.wav: is odd; fix it"),
        (ConfigurationError("x: 1\nis wrong"), 2, "x: 1 is wrong"),
        (OSError(28, "No space left on device", "out.csv"), 1, "out.csv: No space left on device; check the disk"),
    ],
)
def test_errors_are_one_line_with_their_status(
    error: Exception, status: int, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> typer.Typer:
        raise error

    monkeypatch.setattr(application, "build", fail)
    monkeypatch.setattr(application, "_forget_output", lambda: None)
    assert main(["predict"]) == status
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith(f"emogram: error: {message}")
    assert errors.count("\n") == 1


def test_an_interruption_is_status_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: object) -> typer.Typer:
        raise KeyboardInterrupt

    monkeypatch.setattr(application, "build", interrupt)
    assert main(["predict"]) == 130
    assert capsys.readouterr() == ("", "")
    assert main(["train"]) == 130
    assert capsys.readouterr() == ("", "emogram: stopped; the same command goes on from here\n")


def test_only_the_module_of_the_command_is_imported() -> None:
    code = "import sys; from emogram.cli import main; main(['predict', '--format', 'x', 'y']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    modules = set(done.stdout.split())
    assert "emogram.cli.predict" in modules
    assert not modules & {"emogram.cli.corpus", "emogram.cli.training", "numpy", "onnxruntime", "torch", "rich"}


def test_help_needs_no_laboratory() -> None:
    code = "import sys; from emogram.cli import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    heavy = {"numpy", "onnxruntime", "torch", "pandas", "matplotlib", "soundfile", "pydantic", "pooch", "lightning"}
    assert not set(done.stdout.split()) & heavy


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "emogram", "--version"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "emogram: error: output: No space left on device; check the disk and permissions\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
def test_a_reader_that_leaves_causes_no_noise() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "emogram", "--version"]
    try:
        done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_module_runs_as_the_command() -> None:
    done = run("predikt")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Did you mean 'predict'?" in done.stderr


def test_every_command_is_at_home_where_it_is_looked_for() -> None:
    for command, module in application.HOMES.items():
        group = typer.main.get_command(application.build([module]))
        assert command in group.commands  # type: ignore[attr-defined]
    assert set(application.HOMES.values()) == set(application.MODULES)


@pytest.mark.parametrize("argument", ["~/x.wav", "--model=~/x.onnx"])
def test_a_tilde_is_the_users_folder_whatever_the_shell_makes_of_it(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    main(["predict", argument, "clip~/none.wav"])
    told = capsys.readouterr()
    assert f"{tmp_path}/x." in told.out + told.err
    assert "clip~/none.wav" in told.out + told.err or argument.startswith("--")
