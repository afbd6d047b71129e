"""`emogram serve`: a process as a user starts it, its options, and how it is told what is wrong."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from emogram.cli import main
from tests.recognition.small_models import content


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content())
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_it_serves_until_it_is_told_to_stop(model: Path) -> None:
    command = [sys.executable, "-m", "emogram", "serve", "-m", str(model), "--port", "0", "--max-files", "3"]
    environment = os.environ | {"EMOGRAM_SERVE_QUEUE": "7", "EMOGRAM_SERVE_TOKEN": "long-enough"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            found = re.fullmatch(r"Serving at (http://127\.0\.0\.1:\d+) \(stop with Ctrl-C\)\n", first)
            assert found, first
            transport = httpx.HTTPTransport(retries=5)
            with httpx.Client(transport=transport, headers={"Authorization": "Bearer long-enough"}) as client:
                assert client.get(f"{found[1]}/v1/model").json()["limits"]["max_files"] == 3
        finally:
            process.send_signal(signal.SIGTERM)  # where tests run in the background, SIGINT is ignored from the start
        rest = process.stderr.read()
    assert process.returncode in {-signal.SIGTERM, 128 + signal.SIGTERM}
    assert re.fullmatch(r"\S+ \S+ INFO 127\.0\.0\.1 GET /v1/model 200 \d+\.\d ms\n", rest)


def test_what_cannot_be_is_one_line(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["serve", "--model", str(model)]
    certificate = ["--tls-certificate", str(model), "--tls-key", str(model)]
    for arguments, status, problem in [
        ([*given, "--port", "99999"], 2, "--port: 99999 is not between"),
        ([*given, "--host", "203.0.113.1"], 2, "--host 203.0.113.1, --port 8000: cannot be listened on"),
        ([*given, *certificate], 2, "--tls-certificate, --tls-key: cannot be used"),
        ([*given, "--recordings", str(model)], 2, "tiny.onnx: cannot be written (File exists); name another folder"),
        (["serve", "--model", "none.onnx"], 1, "none.onnx: does not exist"),
        ([*given, "--queue", "many"], 2, "Invalid value for '--queue'"),
    ]:
        assert main(arguments) == status
        error = capsys.readouterr().err
        assert problem in error
        assert error.count("\n") == 1
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(given) == 1
    assert "install it with: pip install 'emogram[serve]'" in capsys.readouterr().err


def test_serving_needs_no_laboratory(model: Path) -> None:
    code = (
        "import sys, emogram.server.running; from emogram.server.office import Office; "
        "from emogram.server.settings import Settings; from emogram.recognition import read_model; "
        "from emogram.server.application import create; "
        f"create(Office(read_model({str(model)!r}), Settings())); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    heavy = {"torch", "pandas", "scipy", "lightning", "matplotlib", "onnx", "librosa"}
    assert not heavy & set(done.stdout.split())
