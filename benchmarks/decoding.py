"""Decoding to 16 kHz mono: clips a second on one thread, emogram beside librosa, in turn on the same files.

The files are RAVDESS originals (48 kHz, mono and stereo) where ``EMOGRAM_DATA`` has them, generated ones like them
otherwise. Both decode with libsndfile and resample with soxr at its HQ quality.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import librosa
import numpy as np
import soundfile

from emogram import audio

_ROUNDS, _REPEATS = 15, 8


def main() -> None:
    """Print both rates and the median of the ratios, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        paths = _originals() or _generated(Path(folder))
        difference = max(_difference(path) for path in paths)
        rows = [(_rate(audio.load, paths), _rate(_librosas, paths)) for _ in range(_ROUNDS)][1:]
    ratio = statistics.median(mine / theirs for mine, theirs in rows)
    print(f"decoding with resampling, {len(paths)} clips of 48 kHz, one thread, median of {len(rows)} rounds")
    print(f"  emogram {statistics.median(row[0] for row in rows):6.0f} clips/s")
    print(f"  librosa {statistics.median(row[1] for row in rows):6.0f} clips/s   ({version('librosa')})")
    print(f"  ratio   {ratio:6.2f}            largest difference {difference:.1e}")


def _originals() -> list[Path]:
    root = os.environ.get("EMOGRAM_DATA")
    return sorted((Path(root) / "originals" / "ravdess").rglob("*.wav")) if root else []


def _generated(folder: Path) -> list[Path]:
    paths = [folder / f"{index}.wav" for index in range(5)]
    for index, path in enumerate(paths):
        samples = np.random.default_rng(index).normal(0, 0.1, (180_000, 2 if index < 2 else 1))
        soundfile.write(path, samples, 48_000, subtype="PCM_16")
    return paths


def _librosas(path: Path) -> np.ndarray:
    return librosa.load(path, sr=audio.SAMPLE_RATE, res_type="soxr_hq")[0]


def _difference(path: Path) -> float:
    ours, theirs = audio.load(path), _librosas(path)
    common = min(len(ours), len(theirs))  # librosa pads by a sample where the length is no whole number
    return float(np.abs(ours[:common] - theirs[:common]).max())


def _rate(load: Callable[[Path], object], paths: Sequence[Path]) -> float:
    """Clips a second of processor time, which a busy neighbour disturbs less than the clock on the wall."""
    started = time.process_time()
    for _ in range(_REPEATS):
        for path in paths:
            load(path)
    return _REPEATS * len(paths) / (time.process_time() - started)
