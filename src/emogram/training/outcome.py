"""What a fit is worth: predictions of every part, calibration, metrics, the exported model and the figures."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import emogram
from emogram.corpora import CORPORA
from emogram.evaluation import calibration
from emogram.evaluation.predictions import Predictions, write_predictions
from emogram.evaluation.summary import summarise
from emogram.networks.classifier import Classifier
from emogram.networks.export import export, largest_difference
from emogram.networks.summary import multiply_adds, n_parameters
from emogram.recognition.model_file import ModelInfo
from emogram.recognition.recognizer import Windows
from emogram.training.batches import evaluation_batches
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration
from emogram.training.distillation.heard import inherited
from emogram.training.fit import device_of
from emogram.training.material import Material
from emogram.training.pictures import draw_explanation, draw_scores, draw_spectrograms

MODEL = "model.onnx"
_EXPORT_CHECKS = 5
_MIN_S = 0.5
_WINDOW_S = 10.0


def conclude(
    configuration: Configuration,
    material: Material,
    classifier: Classifier,
    cache: AudioCache,
    folder: Path,
    *,
    scores_only: bool = False,
) -> dict[str, Any]:
    """Predict every part once, calibrate on validation, export, and write all of it into the run folder.

    Clips are heard as the recogniser will hear them: very short ones padded, very long ones in windows whose
    probabilities are averaged. So the stored predictions are those that `emogram predict` gives, but for the 16 bits in which
    decoded audio is kept, which very soft and overdriven recordings may feel.

    Args:
        configuration: of the run.
        material: of the run.
        classifier: with the weights that validation picked.
        cache: gives waves.
        folder: of the run.
        scores_only: leave the model and the figures out.

    Returns:
        The findings, JSON-ready.

    Raises:
        ModelError: the exported file does not compute what the network computes.
    """
    temperature, predictions = _predict(configuration, material, classifier, cache)
    for part, answers in predictions.items():
        write_predictions(folder / f"predictions-{part}.csv", answers)
    findings = _facts(configuration, material, classifier) | {
        "temperature": temperature,
        **_epochs(folder / "history.csv", configuration.fit.monitor),
        **{part: summarise(answers) for part, answers in predictions.items()},
    }
    if scores_only:
        return findings
    findings["export_difference"] = _write_model(
        configuration, material, classifier, cache, folder=folder, findings=findings
    )
    draw_scores(folder, findings, predictions["test"])
    draw_spectrograms(folder, material.split.test, classifier.spectrogram, cache)
    draw_explanation(folder, folder / MODEL, predictions["test"], material.split.test, cache)
    return findings


def _write_model(
    configuration: Configuration,
    material: Material,
    classifier: Classifier,
    cache: AudioCache,
    *,
    folder: Path,
    findings: dict[str, Any],
) -> float:
    """Export the network with its calibration and scores; the largest difference of its answers on clips of validation."""
    info = describe_model(configuration, material, classifier)
    scores = _scores(configuration, material, findings["test"])
    export(classifier, replace(info, temperature=findings["temperature"], scores=scores), folder / MODEL)
    clips = material.split.validation
    waves = [cache(clip) for clip in clips[:: max(1, len(clips) // _EXPORT_CHECKS)]]
    return largest_difference(classifier, folder / MODEL, waves)


def _facts(configuration: Configuration, material: Material, classifier: Classifier) -> dict[str, Any]:
    """What was trained on what."""
    return {
        "name": configuration.name,
        "split": configuration.split.model_dump() | {"speaker_disjoint": material.split.speaker_disjoint},
        "sizes": material.split.sizes,
        "notes": list(material.split.notes),
        "corpora": sorted(material.allowed),
        "emotions": list(material.emotions),
        "parameters": n_parameters(classifier.network),
        "multiply_adds": multiply_adds(classifier, round(configuration.audio.clip_s * configuration.audio.sample_rate)),
    }


def _predict(
    configuration: Configuration, material: Material, classifier: Classifier, cache: AudioCache
) -> tuple[float, dict[str, Predictions]]:
    """The temperature that validation asks for, and the calibrated answers for every part."""
    info = describe_model(configuration, material, classifier)
    classifier.to(device_of(configuration.runtime))
    # Convolutions of NVIDIA's library would round to ten bits.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        heard = {part: _listen(classifier, material, part, cache, info) for part in material.split.parts()}
    classifier.cpu()
    logits, clip_of = heard["validation"]
    truth = np.array([material.emotions.index(clip.emotion) for clip in material.split.validation])
    temperature = calibration.fit_temperature(logits, truth[clip_of])
    return temperature, {
        part: Predictions.from_clips(clips, _average(*heard[part], temperature), material.emotions)
        for part, clips in material.split.parts().items()
    }


@torch.inference_mode()
def _listen(
    classifier: Classifier, material: Material, part: str, cache: AudioCache, info: ModelInfo
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Logits [M, K] of every window of every clip in full precision, and which clip each is of, [M]."""
    clips, device = material.split.parts()[part], next(classifier.parameters()).device
    rows: list[npt.NDArray[np.float32]] = [np.empty((0, len(material.emotions)), dtype=np.float32)] * len(clips)
    whole: list[int] = []
    for index, clip in enumerate(clips):
        wave = cache(clip)
        if info.min_s <= len(wave) / cache.sample_rate <= info.window_s:
            whole.append(index)
        else:
            windows = (torch.from_numpy(window)[None].to(device) for window in Windows(info).cut([wave]))
            rows[index] = np.concatenate([classifier(window).cpu().numpy() for window in windows])
    dataset = material.dataset(part, cache, indices=whole)
    for batch in evaluation_batches(dataset) if whole else ():
        answers = classifier(batch.wave.to(device), batch.n_samples.to(device)).cpu().numpy()
        for index, logits in zip(batch.index.tolist(), answers, strict=True):
            rows[whole[index]] = logits[None]
    return np.concatenate(rows), np.repeat(np.arange(len(clips)), [len(windows) for windows in rows])


def _average(
    logits: npt.NDArray[np.float32], clip_of: npt.NDArray[np.int64], temperature: float
) -> npt.NDArray[np.float64]:
    """Probabilities [N, K] of the clips: the mean over the windows of each."""
    starts = np.flatnonzero(np.diff(clip_of, prepend=-1))
    total: npt.NDArray[np.float64] = np.add.reduceat(calibration.apply_temperature(logits, temperature), starts)
    return total / np.bincount(clip_of)[:, None]


def _epochs(history: Path, monitor: str) -> dict[str, int]:
    with history.open(newline="", encoding="utf-8") as file:
        scores = [float(row[monitor]) for row in csv.DictReader(file)]
    best = np.argmin(scores) if monitor == "validation_loss" else np.argmax(scores)
    return {"epochs": len(scores), "best_epoch": int(best) + 1}


def describe_model(configuration: Configuration, material: Material, classifier: Classifier) -> ModelInfo:
    """All that the model file says about itself, but for the temperature and the scores."""
    corpora = sorted({*material.allowed, *(clip.corpus for clip in inherited(configuration))})
    return ModelInfo(
        name=configuration.name,
        labels=material.emotions,
        sample_rate=configuration.audio.sample_rate,
        clip_s=configuration.audio.clip_s,
        min_s=_MIN_S,
        window_s=configuration.audio.test_s or max(_WINDOW_S, configuration.audio.clip_s),
        normalisation=_normalisation(classifier),
        training_corpora=tuple(corpora),
        licence=_licence(corpora),
        emogram_version=emogram.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        configuration_hash=material.identity(configuration),
    )


def _scores(configuration: Configuration, material: Material, test: dict[str, Any]) -> dict[str, float | str]:
    split = configuration.split
    return {
        "protocol": f"{split.name}, fold {split.fold}, test part",
        "speakers": "unseen" if material.split.speaker_disjoint else "seen in training",
        "accuracy": test["metrics"]["accuracy"]["value"],
        "uar": test["metrics"]["uar"]["value"],
    }


def _normalisation(classifier: Classifier) -> dict[str, float | str]:
    """For the record: the statistics where they are one for all values, otherwise how many there are."""
    if not classifier.spectrogram.standardise:
        return {"kind": "none: the front end gives what the published weights were trained on"}
    mean, deviation = classifier.standardisation.mean, classifier.standardisation.deviation
    if mean.numel() > 1:
        return {"kind": f"training statistics, {mean.numel()} means and deviations inside the graph"}
    return {"kind": "training statistics", "mean": float(mean), "deviation": float(deviation)}


def _licence(corpora: list[str]) -> str:
    """Which licences the weights inherit, as far as the corpora state them."""
    licences = {CORPORA[corpus].licence if corpus in CORPORA else f"of corpus {corpus}" for corpus in corpora}
    return "follows from: " + "; ".join(sorted(licences))
