"""How a graph is handed to onnxruntime, and what is taken as its answer."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from emogram.errors import ModelError
from emogram.recognition import ModelFile
from emogram.recognition.session import open_session
from tests.recognition.small_models import content, info


def in_own_format(folder: Path) -> bytes:
    """The honest model as onnxruntime saves it for itself."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.optimized_model_filepath = str(folder / "model.ort")
    onnxruntime.InferenceSession(content(), options, providers=["CPUExecutionProvider"])
    return (folder / "model.ort").read_bytes()


def test_nothing_is_reported_to_the_maker_of_onnxruntime(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(content())
    code = "import sys, emogram, numpy; emogram.load(sys.argv[1]).predict(numpy.ones(16000, numpy.float32))"
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", code, str(tmp_path / "m.onnx")]
    subprocess.run(command, check=True, env=kept | {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}, timeout=60)
    assert list((tmp_path / "home").rglob("*")) == []


def test_nothing_but_onnx_is_run(tmp_path: Path) -> None:
    data = in_own_format(tmp_path)
    assert data[4:8] == b"ORTM"
    with pytest.raises(ModelError, match=r"^m.onnx: is no model that onnxruntime can run"):
        open_session(ModelFile("m.onnx", data, info()), 1)


def test_a_file_that_could_be_both_is_run_as_the_onnx_that_was_scanned() -> None:
    def marked(model: Any) -> None:
        model.producer_name = "ORTM"

    [wave] = open_session(ModelFile("m.onnx", content(marked), info()), 1).get_inputs()
    assert wave.name == "wave"
