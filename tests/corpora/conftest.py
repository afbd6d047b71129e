"""Generated recordings under official names."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Record = Callable[..., Path]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a short recording below `tmp_path`, of its own content for every name, and returns its path."""

    def write(name: str, *, rate: int = 16_000, seconds: float = 0.05, like: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(zlib.crc32((like or name).encode()))
        samples = rng.uniform(-0.3, 0.3, round(rate * seconds))
        container = {".flac": "FLAC", ".ogg": "OGG"}.get(path.suffix.lower(), "WAV")
        soundfile.write(path, samples, rate, format=container)
        return path

    return write


@pytest.fixture
def touch(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an empty file below `tmp_path`: enough for what is recognised by name alone."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    return make
