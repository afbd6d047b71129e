"""A training epoch: emogram beside the same network in plain PyTorch (fp32, channels first), in turn on the same clips.

Both train `cnn-base` on the same noise, cut into clips, with the same batch size. The plain loop has its spectrograms
computed beforehand and augments nothing, so all that it does is train; emogram reads its cache, augments waves and
spectrograms, mixes, averages weights, and validates at the end of the epoch.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.nn import functional

from emogram.corpora import Clip, scan
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration, load
from emogram.training.data import EpochSampler
from emogram.training.fit import evaluation_batches, fit, training_batches, uses_bf16
from emogram.training.learner import Learner
from emogram.training.material import Material, prepare
from emogram.training.run import build_classifier

_ROUNDS, _TAKES, _CLIP_S, _RATE = 3, 10, 3.6, 16_000


def main() -> None:
    """Print clips a second of both, and the median of the ratios, round by round."""
    torch.set_num_threads(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = _noise(folder / "noise")
        configuration = load(None, ["network=cnn-base", "fit.epochs=1", "augmentation.waveform.speed=0.1"])
        material = prepare(configuration, clips)
        cache = AudioCache(folder / "cache", configuration.audio.sample_rate)
        cache.fill(clips)
        rows = []
        for attempt in range(_ROUNDS + 1):
            mine = _emogram(configuration, material, cache, folder / f"run-{attempt}")
            rows.append((mine, _plain(configuration, material, cache)))
    rows = rows[1:]
    count = len(material.split.train)
    ratio = statistics.median(plain / mine for mine, plain in rows)
    precision = "bf16" if uses_bf16(configuration.runtime) else "fp32"
    print(f"training epoch of cnn-base, {count} clips cut to 3 s, {torch.get_num_threads()} threads, {_ROUNDS} rounds")
    print(f"  emogram       {count / statistics.median(row[0] for row in rows):6.1f} clips/s  ({precision})")
    print(f"  plain PyTorch {count / statistics.median(row[1] for row in rows):6.1f} clips/s  (fp32, channels first)")
    print(f"  ratio         {ratio:6.2f}")


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
    return history.epochs[0].seconds


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
