"""A training epoch: emogram beside the same network in plain PyTorch (fp32, channels first), in turn on the same clips.

Both train `cnn-base` on noise, cut into clips, with one batch size. emogram reads its cache, augments waves and
spectrograms, mixes, averages weights, writes checkpoints and validates. The plain loop (`_plain`), in a process of its own,
does as much of that as a tutorial's: reads each file and computes each spectrogram with librosa, changes speed and
loudness, and validates. It is measured once more without augmentation and validation, and once with its spectrograms ready
in memory besides. The network alone, forward and backward, is compared as well.
"""

import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks import _plain
from emogram.corpora import Clip, scan
from emogram.training import memory
from emogram.training.batches import evaluation_batches, training_batches
from emogram.training.building import build_classifier
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration, load
from emogram.training.fit import fit, uses_bf16
from emogram.training.learner import Learner
from emogram.training.material import Material, prepare

_ROUNDS, _TAKES, _CLIP_S, _RATE = 5, 24, 3.6, 16_000
_LOOPS = {
    "whole": "the same epoch, by librosa",
    "from_files": "training alone, by librosa",
    "from_spectrograms": "training alone, spectrograms ready",
}


def main() -> None:
    """Print clips a second of all, and the medians of the ratios, round by round."""
    threads = os.cpu_count() or 1
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = _noise(folder / "noise")
        configuration = load(
            None,
            ["network=cnn-base", "fit.epochs=1", "augmentation.waveform=[{name: speed, factor: [0.9, 1.1]}, gain]"],
        )
        material = prepare(configuration, clips)
        cache = AudioCache(folder / "cache", configuration.audio.sample_rate)
        cache.fill(clips)
        given = (threads, configuration, material.emotions, material.split.train, material.split.validation)
        # Two pools of threads that spin for work, numpy's and torch's, would slow the plain loop's steps by a third.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawned, initializer=_plain.begin, initargs=given) as other:

            def plain(what: str, *given: torch.Tensor) -> float:
                return other.submit(_plain.measure, what, *given).result()

            rows = []
            for attempt in range(_ROUNDS + 1):
                mine = _emogram(configuration, material, cache, folder / f"run-{attempt}")
                rows.append((mine, *(plain(what) for what in _LOOPS)))
            steps = _networks(configuration, material, plain)
    _tell(configuration, len(material.split.train), rows[1:], steps)


def _tell(
    configuration: Configuration, count: int, rows: list[tuple[float, ...]], steps: list[tuple[float, float]]
) -> None:
    precision = "bf16" if uses_bf16(configuration.runtime) else "fp32"
    print(
        f"training epoch of cnn-base, {count} clips cut to 3 s, {torch.get_num_threads()} threads, {len(rows)} rounds"
    )
    print(f"  emogram, {precision:<34} {count / statistics.median(row[0] for row in rows):6.1f} clips/s")
    for column, label in enumerate(_LOOPS.values(), start=1):
        ratio = statistics.median(row[column] / row[0] for row in rows)
        rate = count / statistics.median(row[column] for row in rows)
        print(f"  plain fp32, {label:<34} {rate:6.1f} clips/s   ratio {ratio:4.2f}")
    ratio = statistics.median(plain / own for own, plain in steps)
    own, plain = (1000 * statistics.median(column) for column in zip(*steps, strict=True))
    print(f"  the network, forward and backward of a batch: {own:.0f} and {plain:.0f} ms   ratio {ratio:4.2f}")


def _noise(folder: Path) -> list[Clip]:
    """Clips long enough that none is shorter than a crop, whatever its speed."""
    rng = np.random.default_rng(0)
    for speaker in range(10):
        for emotion in ("neutral", "happy", "sad", "angry"):
            place = folder / f"speaker-{speaker}" / emotion
            place.mkdir(parents=True)
            for take in range(_TAKES):
                soundfile.write(place / f"{take}.wav", 0.1 * rng.standard_normal(round(_CLIP_S * _RATE)), _RATE)
    return scan("folder", folder)


def _emogram(configuration: Configuration, material: Material, cache: AudioCache, folder: Path) -> float:
    folder.mkdir()
    training = training_batches(material.dataset("train", cache, augmented_by=configuration), configuration)
    validation = evaluation_batches(material.dataset("validation", cache))
    learner = Learner(
        build_classifier(configuration, len(material.emotions)),
        configuration,
        steps=len(training),
        weights=None,
        bf16=uses_bf16(configuration.runtime),
    )
    history = fit(learner, training, validation, folder)
    return float(history.epochs[0].seconds)


def _networks(
    configuration: Configuration, material: Material, plain: Callable[..., float]
) -> list[tuple[float, float]]:
    """Seconds of one batch forward and backward: as emogram computes it, and in plain fp32, channels first, in turn."""
    spec = torch.randn(configuration.fit.batch_size, 1, 64, 301)
    given = spec.contiguous(memory_format=torch.channels_last)
    network = build_classifier(configuration, len(material.emotions)).network.train()
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    bf16 = uses_bf16(configuration.runtime)
    seconds = []
    with memory.kept():
        for _ in range(_ROUNDS):
            mine = _plain.step_seconds(network, given, len(material.emotions), bf16=bf16)
            seconds.append((mine, plain("network_alone", spec)))
    return seconds
