"""A training epoch: emogram beside the same network in plain PyTorch (fp32, channels first), in turn on the same clips.

Both train `cnn-base` on noise, cut into clips, with one batch size. emogram reads its cache, augments waves and
spectrograms, mixes, averages weights, writes checkpoints and validates. The plain loop does nothing but train: once with
its spectrograms ready in memory, and once reading each file and computing each spectrogram with librosa, as tutorials do.
The network alone, forward and backward, is compared as well.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from torch.nn import functional

from emogram.corpora import Clip, scan
from emogram.spectrograms import LogMelSettings
from emogram.training.batches import evaluation_batches, training_batches
from emogram.training.building import build_classifier
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration, load
from emogram.training.data import EpochSampler
from emogram.training.fit import fit, uses_bf16
from emogram.training.learner import Learner
from emogram.training.material import Material, prepare

_ROUNDS, _TAKES, _CLIP_S, _RATE = 3, 24, 3.6, 16_000


def main() -> None:
    """Print clips a second of all, and the medians of the ratios, round by round."""
    torch.set_num_threads(os.cpu_count() or 1)
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
        rows: list[tuple[float, float, float]] = []
        for attempt in range(_ROUNDS + 1):
            mine = _emogram(configuration, material, cache, folder / f"run-{attempt}")
            ready = _plain(configuration, material, cache)
            rows.append((mine, ready, ready + _librosa_seconds(configuration, material)))
        steps = [_network_seconds(configuration, material) for _ in range(_ROUNDS + 1)][1:]
    count = len(material.split.train)
    precision = "bf16" if uses_bf16(configuration.runtime) else "fp32"
    print(f"training epoch of cnn-base, {count} clips cut to 3 s, {torch.get_num_threads()} threads, {_ROUNDS} rounds")
    print(
        f"  emogram, {precision}                          {count / statistics.median(row[0] for row in rows[1:]):6.1f} clips/s"
    )
    for label, column in (("spectrograms ready", 1), ("files, librosa", 2)):
        ratio = statistics.median(row[column] / row[0] for row in rows[1:])
        rate = count / statistics.median(row[column] for row in rows[1:])
        print(f"  plain PyTorch fp32, {label:<18} {rate:6.1f} clips/s   ratio {ratio:4.2f}")
    ratio = statistics.median(plain / own for own, plain in steps)
    print(f"  the network alone, forward and backward                ratio {ratio:4.2f}")


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


def _plain(configuration: Configuration, material: Material, cache: AudioCache) -> float:
    classifier = build_classifier(configuration, len(material.emotions))
    network = classifier.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    specs = torch.cat([_spec(classifier, cache, clip, configuration) for clip in material.split.train])
    targets = torch.tensor([material.emotions.index(clip.emotion) for clip in material.split.train])
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    sampler = EpochSampler(targets.tolist(), batch_size=configuration.fit.batch_size, seed=0)
    network.train()
    started = time.monotonic()
    for addresses in sampler:
        chosen = [index for _, index in addresses]
        loss = functional.cross_entropy(network(specs[chosen]), targets[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return time.monotonic() - started


@torch.no_grad()
def _spec(classifier: torch.nn.Module, cache: AudioCache, clip: Clip, configuration: Configuration) -> torch.Tensor:
    wave = torch.from_numpy(cache(clip))
    length = round(configuration.audio.clip_s * cache.sample_rate)
    wave = functional.pad(wave[:length], (0, max(0, length - len(wave))))
    spec: torch.Tensor = classifier.spec(wave[None])[0]  # type: ignore[operator]
    return spec


def _librosa_seconds(configuration: Configuration, material: Material) -> float:
    """What reading the files of one epoch and computing their spectrograms with librosa takes."""
    settings = configuration.spectrogram
    assert isinstance(settings, LogMelSettings)
    started = time.monotonic()
    for clip in material.split.train:
        wave, _ = librosa.load(clip.path, sr=configuration.audio.sample_rate, duration=configuration.audio.clip_s)
        mel = librosa.feature.melspectrogram(
            y=wave,
            sr=configuration.audio.sample_rate,
            n_fft=settings.n_fft,
            hop_length=round(settings.hop_ms * configuration.audio.sample_rate / 1000),
            n_mels=settings.n_mels,
        )
        np.log(mel + settings.floor)
    return time.monotonic() - started


def _network_seconds(configuration: Configuration, material: Material) -> tuple[float, float]:
    """Forward and backward of one batch: as emogram computes it, and in plain fp32, channels first."""
    count = configuration.fit.batch_size
    spec = torch.randn(count, 1, 64, 301)
    targets = torch.arange(count) % len(material.emotions)
    seconds = []
    for bf16, layout in ((uses_bf16(configuration.runtime), torch.channels_last), (False, torch.contiguous_format)):
        network = build_classifier(configuration, len(material.emotions)).network.train()
        network = network.to(memory_format=layout)  # type: ignore[call-overload]
        given = spec.contiguous(memory_format=layout)
        for _ in range(2):
            started = time.monotonic()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = network(given)
            functional.cross_entropy(logits.float(), targets).backward()  # type: ignore[no-untyped-call]
            elapsed = time.monotonic() - started
        seconds.append(elapsed)
    return seconds[0], seconds[1]
