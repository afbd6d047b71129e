"""One run: clips in, a folder out that holds everything the run was and found.

The folder: ``configuration.yaml`` (resolved), ``environment.json``, ``manifest.csv`` (with parts), ``history.csv``,
``checkpoints/``, ``predictions-<part>.csv``, ``figures/``, ``model.onnx`` and, last and at once, ``metrics.json``: that
it exists means that the run is done. Killed at any moment and started again, a run ends with the same numbers.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from emogram.augmentation.waveform import require_recordings
from emogram.corpora.clip import Clip, write_manifest
from emogram.errors import ConfigurationError
from emogram.networks.classifier import Classifier
from emogram.training.batches import Batches, require_a_batch, run_batches
from emogram.training.building import build_classifier, load_best
from emogram.training.cache import AudioCache, default_folder
from emogram.training.configuration import Configuration
from emogram.training.distillation.curriculum import Curriculum, curriculum
from emogram.training.distillation.heard import heard
from emogram.training.environment import describe
from emogram.training.fit import check_device, fit, optimizer_steps, set_threads, uses_bf16
from emogram.training.history import Epoch, Watch
from emogram.training.learner import Learner
from emogram.training.material import Material, gather, prepare
from emogram.training.optimisation.losses import class_weights
from emogram.training.origins import FIELD, run_of
from emogram.training.outcome import conclude
from emogram.training.run_folder import ENVIRONMENT, METRICS, finished, require_own, write_json, write_text
from emogram.training.soup import fit_soup, require_a_start
from emogram.training.transfer import frozen_blocks

Say = Callable[[str], None]
"""Told what happens, a line at a time."""


def train(
    configuration: Configuration,
    folder: Path,
    *,
    clips: Sequence[Clip] | None = None,
    scores_only: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Do one run, or continue it, or return what it found if it is done.

    Args:
        configuration: of the run.
        folder: of the run; made when needed.
        clips: to split, if they have been gathered already.
        scores_only: leave out model and figures, which take as long as a small fit; `TrainedRun` answers all the same.
        say: told what happens.

    Returns:
        The content of ``metrics.json``.

    Raises:
        TrainingError: the folder holds another run, there are too few clips for a batch, or the fit diverged.
        ConfigurationError: settings that rule each other out, or a device or folder that is not here. Nothing was written.
        EmogramError: as `gather` and `prepare`.
    """
    _prepare_machine(configuration)
    require_a_start(configuration)
    material = _learnable(configuration, gather(configuration) if clips is None else clips)
    classifier = build_classifier(configuration, len(material.emotions))
    identity = material.identity(configuration)
    require_own(folder, identity)
    done = finished(folder, identity)
    if done is not None:
        say(f"{folder}: done already")
        return done
    course = curriculum(configuration, material, classifier)
    folder.mkdir(parents=True, exist_ok=True)
    _write_inputs(folder, configuration, material, identity)
    say(_headline(configuration, material))
    cache = _filled_cache(configuration, [clip for clip, _ in material.rows()])
    started = time.monotonic()
    _fit(classifier, configuration, material, cache, folder, course=course, say=say)
    seconds = round(time.monotonic() - started, 1)
    load_best(classifier, folder)
    found = conclude(configuration, material, classifier, cache, folder, scores_only=scores_only)
    taught = {} if course is None else {"distillation": course.findings(folder)}
    metrics = {"key": identity, "fit_seconds": seconds, **found, **taught}
    write_json(folder / METRICS, metrics)
    return metrics


def _prepare_machine(configuration: Configuration) -> None:
    """Make sure that what the configuration names is here, and take its share of the processors.

    Raises:
        ConfigurationError: a device or folder that is not here.
    """
    check_device(configuration.runtime)
    require_recordings(configuration.augmentation.waveform, configuration.audio.sample_rate)
    if configuration.distillation is not None:
        require_recordings(configuration.distillation.noise, configuration.audio.sample_rate)
    set_threads(configuration.runtime)


def _filled_cache(configuration: Configuration, clips: Sequence[Clip]) -> AudioCache:
    cache = AudioCache(configuration.runtime.cache or default_folder(), configuration.audio.sample_rate)
    cache.fill(clips)
    return cache


def _headline(configuration: Configuration, material: Material) -> str:
    sizes = ", ".join(f"{n} {part}" for part, n in material.split.sizes.items())
    return f"{configuration.name}: {sizes} clips, split {configuration.split.name}"


def validate_only(configuration: Configuration, folder: Path, clips: Sequence[Clip], watch: Watch) -> list[Epoch]:
    """Fit as `train` does and stop there: the test part is not looked at, and nothing is exported.

    Args:
        configuration: of the run.
        folder: of the fit; continued where it holds a part of the same run.
        clips: to split.
        watch: told of every epoch as it ends; what it raises ends the fit.

    Returns:
        All epochs, with their validation scores.

    Raises:
        EmogramError: as `train`.
    """
    _prepare_machine(configuration)
    if configuration.fit.soup > 1:
        raise ConfigurationError(f"fit.soup={configuration.fit.soup}: here a single fit is watched; choose 1")
    material = _learnable(configuration, clips)
    classifier = build_classifier(configuration, len(material.emotions))
    identity = material.identity(configuration)
    require_own(folder, identity)
    course = curriculum(configuration, material, classifier)
    folder.mkdir(parents=True, exist_ok=True)
    _write_inputs(folder, configuration, material, identity)
    cache = _filled_cache(configuration, [*material.split.train, *material.split.validation])
    _learn_frames(classifier, material, cache, folder, course=course)
    return fit(*prepare_fit(classifier, configuration, material, cache, course=course), folder, watch=watch).epochs


def _learnable(configuration: Configuration, clips: Sequence[Clip]) -> Material:
    """The clips in parts, of which a run can learn and be tested honestly.

    Raises:
        TrainingError: too few clips for a batch.
        EmogramError: as `prepare` and `_require_strangers`.
    """
    material = prepare(configuration, clips)
    _require_strangers(configuration, material)
    require_a_batch(configuration, material)
    return material


def _require_strangers(configuration: Configuration, material: Material) -> None:
    """Make sure that the run whose weights are taken knows no speaker and no recording of the test part.

    Raises:
        LeakError: it does; names the run and the speakers.
    """
    if configuration.transfer is None:
        return
    run = run_of(configuration.transfer.of_fold(configuration.split.fold).source)
    if run is not None:
        heard(run, FIELD).require_none_of(material.split.test, FIELD)


def _write_inputs(folder: Path, configuration: Configuration, material: Material, identity: str) -> None:
    write_json(folder / ENVIRONMENT, {"key": identity, **describe(configuration.runtime)})
    write_text(folder / "configuration.yaml", configuration.to_yaml())
    clips, parts = zip(*material.rows(), strict=True)
    write_manifest(folder / "manifest.csv", clips, parts=parts)


def prepare_fit(
    classifier: Classifier,
    configuration: Configuration,
    material: Material,
    cache: AudioCache,
    *,
    course: Curriculum | None = None,
) -> tuple[Learner, Batches, Batches]:
    """What is trained, its standardisation measured, and the batches that train and validate it."""
    _measure_statistics(classifier, material.measured(), cache)
    frozen = frozen_blocks(configuration.transfer, classifier.network)
    training, validation = run_batches(classifier, configuration, material, cache, frozen)
    targets = [material.emotions.index(clip.emotion) for clip in material.split.train]
    weights = class_weights(targets, len(material.emotions)) if configuration.fit.balance == "weights" else None
    options: dict[str, Any] = {
        "steps": optimizer_steps(len(training), configuration),
        "weights": weights,
        "bf16": uses_bf16(configuration.runtime),
        "frozen": frozen,
    }
    learner = Learner(classifier, configuration, **options) if course is None else course.learner(classifier, **options)
    return learner, training, validation


def _fit(
    classifier: Classifier,
    configuration: Configuration,
    material: Material,
    cache: AudioCache,
    folder: Path,
    *,
    course: Curriculum | None,
    say: Say,
) -> None:
    """Learn what teachers know, where there are such, then the labels, once or several times."""

    def prepared(one: Configuration) -> tuple[Learner, Batches, Batches]:
        return prepare_fit(classifier, one, material, cache, course=course)

    _learn_frames(classifier, material, cache, folder, course=course, say=say)
    if configuration.fit.soup == 1:
        fit(*prepared(configuration), folder)
    else:
        fit_soup(classifier, configuration, prepared, folder, say)


def _learn_frames(
    classifier: Classifier,
    material: Material,
    cache: AudioCache,
    folder: Path,
    *,
    course: Curriculum | None,
    say: Say = lambda _: None,
) -> None:
    """Learn what teachers know, where there are such, before the labels."""
    if course is not None:
        _measure_statistics(classifier, material.measured(), cache)
        course.learn_frames(classifier, cache, folder, say)


def _measure_statistics(classifier: Classifier, clips: Sequence[Clip], cache: AudioCache) -> None:
    if not classifier.spectrogram.standardise:
        return
    with torch.no_grad():
        classifier.standardisation.fit([classifier.spectrogram(torch.from_numpy(cache(clip))[None]) for clip in clips])
