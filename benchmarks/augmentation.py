"""Augmentation: milliseconds a clip on one thread; pitch and tempo beside librosa; a chain beside a step of cnn-base.

Times are of processor time, which a busy neighbour disturbs less than the clock on the wall; ratios are taken in turn on
the same clips. Waves are 3.5 s of noise at 16 kHz; batches are 32 clips of 64 bands and 300 frames, told per clip.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import soundfile
import torch

from emogram.augmentation import (
    BATCH_AUGMENTATIONS,
    SPECTROGRAM_AUGMENTATIONS,
    WAVEFORM_AUGMENTATIONS,
    draw,
)
from emogram.augmentation.batch import Examples
from emogram.augmentation.recordings import Recordings
from emogram.augmentation.spectrogram import Shape
from emogram.augmentation.waveform import Companions, Scene
from emogram.training.building import build_classifier
from emogram.training.configuration import AugmentationSettings, load
from emogram.training.fit import uses_bf16
from emogram.training.optimisation.losses import masked_cross_entropy

_CLIPS, _CLIP_S, _RATE, _ROUNDS = 8, 3.5, 16_000, 7
_BATCH, _SHAPE = 32, Shape(32, 64, 300)
_TARGET_RATIO, _TARGET_SHARE = 4.0, 0.25
_SEMITONES, _FACTOR = 0.7, 1.07

Wave = npt.NDArray[np.float32]


def full_chain(folder: Path) -> AugmentationSettings:
    """Nearly everything at once, at probabilities as one would choose them."""
    return AugmentationSettings.model_validate(
        {
            "waveform": [
                {"name": "concatenation", "probability": 0.1},
                {"name": "speed", "probability": 0.5},
                {"name": "tempo", "probability": 0.2},
                {"name": "pitch", "probability": 0.2},
                {"name": "room", "probability": 0.2},
                {"name": "noise", "probability": 0.2},
                {"name": "background", "probability": 0.2, "folder": folder},
                {"name": "babble", "probability": 0.1},
                {"name": "low_pass", "probability": 0.1},
                {"name": "telephone", "probability": 0.05},
                {"name": "clipping", "probability": 0.05},
                {"name": "codec", "probability": 0.02},
                "gain",
                "polarity",
                "shift",
                "crop",
            ],
            "spectrogram": ["filter_augment", "time_warp", "frequency_warp", "masks", "cutout"],
            "batch": ["mixup", {"name": "cutmix", "probability": 0.2}],
        }
    )


def main() -> None:
    """Print a row for every augmentation, the ratios to librosa, and the share that chains have in an epoch."""
    torch.set_num_threads(1)
    waves = [
        np.asarray(0.1 * np.random.default_rng(seed).standard_normal(round(_CLIP_S * _RATE)), np.float32)
        for seed in range(_CLIPS)
    ]
    print(f"{_CLIP_S} s clips at {_RATE} Hz, one thread, ms of processor time a clip, median of {_ROUNDS - 1} rounds")
    print(
        f"numpy {version('numpy')}, scipy {version('scipy')}, librosa {version('librosa')}, torch {version('torch')}\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        soundfile.write(folder / "noise.wav", waves[0], _RATE)
        soundfile.write(folder / "short.wav", waves[1][:8000], _RATE)
        scene = _scene(waves)
        _print_waveform(waves, scene, folder)
        _print_batches()
        _print_librosa(waves, scene)
        _print_share(waves, scene, folder)


def _scene(waves: Sequence[Wave]) -> Scene:
    companions = Companions(
        lambda index: waves[index],
        speakers=[str(number % 4) for number in range(_CLIPS)],
        emotions=["happy"] * _CLIPS,
        corpora=["noise"] * _CLIPS,
    )
    return Scene(_RATE, Recordings(_RATE), companions)


def _print_waveform(waves: Sequence[Wave], scene: Scene, folder: Path) -> None:
    print(f"{'augmentation':26} {'ms a clip':>9}")
    variants: list[tuple[str, dict[str, Any]]] = []
    for name in WAVEFORM_AUGMENTATIONS:
        if name == "codec":
            variants += [(name, {"codecs": [codec]}) for codec in ("mu_law", "mp3", "opus")]
        elif name == "noise":
            variants += [(name, {"colours": [colour]}) for colour in ("white", "pink")]
        else:
            variants.append((name, {"folder": folder} if name == "background" else {}))
    for name, fields in variants:
        chain: Any = (WAVEFORM_AUGMENTATIONS[name].model_validate({"probability": 1, **fields}),)
        label = f"{name} {next(iter(fields.values()))[0]}" if name in ("codec", "noise") else name
        print(f"{label:26} {_milliseconds(partial(_augment, chain, waves, scene), _CLIPS):9.2f}", flush=True)


def _augment(chain: Any, waves: Sequence[Wave], scene: Scene, rng: np.random.Generator | None = None) -> None:
    rng = rng or np.random.default_rng(0)
    for index, wave in enumerate(waves):
        place, changed = scene.at(index), wave
        for drawn in draw(chain, rng, place):
            changed = drawn.apply(changed, place)


def _examples() -> Examples:
    spec = torch.randn(_BATCH, 1, _SHAPE.bands, _SHAPE.frames, generator=torch.Generator().manual_seed(0))
    return Examples(spec, torch.eye(8)[torch.arange(_BATCH) % 8], torch.ones(_BATCH, 8, dtype=torch.bool), None)


def _print_batches() -> None:
    for name, settings in {**SPECTROGRAM_AUGMENTATIONS, **BATCH_AUGMENTATIONS}.items():
        chain = (settings.model_validate({"probability": 1}),)
        chosen: Any = {"spectrogram": (), "batch": ()}
        chosen["spectrogram" if name in SPECTROGRAM_AUGMENTATIONS else "batch"] = chain
        rng, examples = np.random.default_rng(0), _examples()
        took = _milliseconds(partial(_combine, chosen, examples, rng), _BATCH)
        print(f"{name:26} {took:9.3f}")


def _combine(chosen: dict[str, Any], examples: Examples, rng: np.random.Generator) -> None:
    spec = examples.spec
    for bent in draw(chosen["spectrogram"], rng, _SHAPE):
        spec = bent.apply(spec, None)
    examples = Examples(spec, examples.targets, examples.allowed, None)
    for mix in draw(chosen["batch"], rng, _BATCH):
        examples = mix.apply(examples)


def _print_librosa(waves: Sequence[Wave], scene: Scene) -> None:
    print(f"\n{'':26} {'emogram':>9} {'librosa':>9} {'ratio':>7} {'target':>7}   clips/s")
    pitch = WAVEFORM_AUGMENTATIONS["pitch"].draws.model_validate({"semitones": _SEMITONES})
    tempo = WAVEFORM_AUGMENTATIONS["tempo"].draws.model_validate({"factor": _FACTOR})
    pairs: list[tuple[str, Any, Callable[[Wave], object]]] = [
        ("pitch", pitch, lambda wave: librosa.effects.pitch_shift(wave, sr=_RATE, n_steps=_SEMITONES)),
        ("tempo", tempo, lambda wave: librosa.effects.time_stretch(wave, rate=_FACTOR)),
    ]
    for name, drawn, theirs in pairs:
        rows = [
            (
                _seconds(partial(_each, partial(drawn.apply, scene=scene), waves)),
                _seconds(partial(_each, theirs, waves)),
            )
            for _ in range(_ROUNDS)
        ][1:]
        mine, other = (_CLIPS / statistics.median(column) for column in zip(*rows, strict=True))
        ratio = statistics.median(other / mine for mine, other in rows)
        print(f"{name:26} {mine:9.0f} {other:9.0f} {ratio:7.1f} {_TARGET_RATIO:7.1f}")


def _print_share(waves: Sequence[Wave], scene: Scene, folder: Path) -> None:
    step = _step_milliseconds()
    print(f"\none training step of cnn-base, 3 s, in the precision of a run here: {step:.1f} ms a clip")
    many = [waves[number % _CLIPS] for number in range(16 * _CLIPS)]
    for label, settings in (("default chain", AugmentationSettings()), ("full chain", full_chain(folder))):
        rng, examples = np.random.default_rng(1), _examples()
        waveform = _milliseconds(partial(_many, settings.waveform, many, scene, rng), len(many))
        chosen = {"spectrogram": settings.spectrogram, "batch": settings.batch}
        batch = _milliseconds(partial(_combine, chosen, examples, rng), _BATCH)
        share = (waveform + batch) / (waveform + batch + step)
        print(
            f"{label:26} waves {waveform:5.2f} ms, spectrograms and batches {batch:5.2f} ms a clip: "
            f"{share:.0%} of both together, target {_TARGET_SHARE:.0%}"
        )


def _each(work: Callable[[Wave], object], waves: Sequence[Wave]) -> None:
    for wave in waves:
        work(wave)


def _many(chain: Any, waves: Sequence[Wave], scene: Scene, rng: np.random.Generator) -> None:
    for start in range(0, len(waves), _CLIPS):
        _augment(chain, waves[start : start + _CLIPS], scene, rng)


def _step_milliseconds() -> float:
    """Front end, network forward and backward, of a batch, as the learner does them."""
    configuration = load(None, ["network=cnn-base"])
    classifier, bf16 = build_classifier(configuration, 8), uses_bf16(configuration.runtime)
    wave = 0.1 * torch.randn(_BATCH, 3 * _RATE, generator=torch.Generator().manual_seed(0))
    examples = _examples()

    def step() -> None:
        with torch.no_grad():
            spec, frames = classifier.spec(wave)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = classifier.network(spec.contiguous(memory_format=torch.channels_last), frames).float()
        torch.autograd.backward(masked_cross_entropy(logits, examples.targets, examples.allowed))

    return _milliseconds(step, _BATCH)


def _milliseconds(work: Callable[[], object], clips: int) -> float:
    return 1000 * statistics.median([_seconds(work) for _ in range(_ROUNDS)][1:]) / clips


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
