"""From a cold shell to an answer: `emogram predict` on one clip, and where its time goes.

The model is the one that ``EMOGRAM_MODEL`` names. Give the wall time of a quiet machine: the best of several starts.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from emogram.recognition import load, read_model

_STARTS = 10


def main() -> None:
    """Print the best wall time of several starts, of its parts, and of the model alone."""
    model = os.environ.get("EMOGRAM_MODEL")
    if not model:
        print("cold start: skipped, name a model with EMOGRAM_MODEL=FILE")
        return
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.wav"
        soundfile.write(clip, np.random.default_rng(0).normal(0, 0.1, 3 * 48_000), 48_000)
        total = _best([sys.executable, "-m", "emogram", "predict", str(clip)])
        print(f"emogram predict, one clip of 3 s at 48 kHz, best of {_STARTS} starts: {1e3 * total:.0f} ms, of which")
        for label, code in _PARTS.items():
            print(f"  {label:<34} {1e3 * _best([sys.executable, '-c', code]):5.0f} ms")
        _show_model(model, clip)


_PARTS = {
    "Python alone": "pass",
    "with numpy": "import numpy",
    "with numpy, soundfile, soxr": "import numpy, soundfile, soxr",
    "with numpy, onnxruntime": "import numpy, onnxruntime",
    "the command line (emogram --version)": "import emogram.cli, sys; sys.exit(emogram.cli.main(['--version']))",
}


def _show_model(model: str, clip: Path) -> None:
    recognizer, file = load(model), read_model(model)
    wave = np.random.default_rng(0).normal(0, 0.1, 3 * file.info.sample_rate).astype(np.float32)
    parts: dict[str, Callable[[], object]] = {
        "the model's file, checked": lambda: read_model(model),
        "the model's session": lambda: load(model),
        "the clip, decoded and recognised": lambda: recognizer.predict(clip),
        "the model alone": lambda: recognizer.predict(wave),
    }
    for label, work in parts.items():
        times = []
        for _ in range(_STARTS):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        print(f"  {label:<34} {1e3 * min(times):5.1f} ms")


def _best(command: list[str]) -> float:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # as `emogram predict` sets for itself
    times = []
    for _ in range(_STARTS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - started)
    return min(times)
