"""What the steps found, gathered into a small folder from which the card is made: predictions as CSV, facts as JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import emogram
from emogram import splits
from emogram.augmentation.noise import BackgroundSettings
from emogram.corpora import CORPORA
from emogram.corpora.clip import Clip
from emogram.errors import TrainingError
from emogram.evaluation import calibration
from emogram.evaluation.predictions import Predictions, pool, read_predictions, write_predictions
from emogram.pretraining.recipe import HELD_OUT, LEFT_OUT, RELEASE, Plan
from emogram.training.configuration import Configuration
from emogram.training.distillation.heard import inherited
from emogram.training.run_folder import METRICS, read_json, write_json

FOLDER, FACTS = "results", "facts.json"
_WITHOUT = "without-"
_BACKGROUND = "background-"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Store:
    """A folder of results.

    Attributes:
        folder: as `gather_results` leaves it.
    """

    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        """What is no prediction.

        Raises:
            TrainingError: missing or damaged.
        """
        return read_json(self.folder / FACTS, remedy="do the step bundle again")

    def predictions(self, name: str) -> Predictions | None:
        """Predictions of that name, or None where that was not measured."""
        path = self.folder / f"{name}.csv"
        return read_predictions(path) if path.exists() else None

    def noisy(self) -> dict[float, Predictions]:
        """Predictions under background noise by signal-to-noise ratio in dB, loudest voice first."""
        found = {
            float(path.stem.removeprefix(_BACKGROUND).removesuffix("dB")): read_predictions(path)
            for path in self.folder.glob(f"{_BACKGROUND}*.csv")
        }
        return dict(sorted(found.items(), reverse=True))

    def without(self) -> dict[str, Predictions]:
        """Predictions for every corpus by networks that were trained on the others."""
        found = sorted(self.folder.glob(f"{_WITHOUT}*.csv"))
        return {path.stem.removeprefix(_WITHOUT): read_predictions(path) for path in found}


def gather_results(plan: Plan, clips: Sequence[Clip]) -> Store:
    """Pool the predictions of all folds that are done, and write what else a card tells.

    Args:
        plan: of the model.
        clips: that it learns from.

    Raises:
        TrainingError: no fold of the held-out scores is done, or the release is not.
    """
    store = Store(plan.folder / FOLDER)
    store.folder.mkdir(parents=True, exist_ok=True)
    for path in store.folder.glob("*.csv"):
        path.unlink()
    folds = _done(plan, HELD_OUT)
    if not folds:
        raise TrainingError(f"{plan.folder / HELD_OUT}: holds no fold that is done; do the step {HELD_OUT} first")
    released = _metrics(plan.run_folder(RELEASE, 1))
    runs = [plan.run_folder(HELD_OUT, fold) for fold in folds]
    held_out = pool([read_predictions(run / "predictions-test.csv") for run in runs])
    write_predictions(store.folder / "held-out.csv", held_out)
    for name, answers in _under_conditions(runs, plan.recipe.compaction).items():
        write_predictions(store.folder / f"{name}.csv", answers)
    for fold in _done(plan, LEFT_OUT):
        answers = read_predictions(plan.run_folder(LEFT_OUT, fold) / "predictions-test.csv")
        write_predictions(store.folder / f"{_WITHOUT}{answers.corpora[0]}.csv", answers)
    write_json(store.folder / FACTS, _facts(plan, clips, folds, released) | _calibrated(runs))
    return store


def _done(plan: Plan, step: str) -> list[int]:
    found = (plan.folder / step).glob(f"fold-*/{METRICS}")
    return sorted(int(path.parent.name.removeprefix("fold-")) for path in found)


def _metrics(run: Path) -> dict[str, Any]:
    if not (run / METRICS).exists():
        raise TrainingError(f"{run}: is not done; do the step {run.name} first")
    return read_json(run / METRICS, remedy="delete it and do the step again")


def _under_conditions(runs: Sequence[Path], compaction: str) -> dict[str, Predictions]:
    """Predictions under each condition that every fold was heard under."""
    folders = [run / "conditions" / compaction for run in runs]
    names = sorted(set.intersection(*({path.stem for path in folder.glob("*.csv")} for folder in folders)))
    return {name: pool([read_predictions(folder / f"{name}.csv") for folder in folders]) for name in names}


def _facts(plan: Plan, clips: Sequence[Clip], folds: Sequence[int], released: dict[str, Any]) -> dict[str, Any]:
    recipe, run = plan.recipe, plan.configuration(HELD_OUT)
    split = run.split
    backgrounds = [step for step in run.augmentation.waveform if isinstance(step, BackgroundSettings)]
    return {
        "name": recipe.name,
        "summary": recipe.summary,
        "protocol": recipe.protocol,
        "folds": list(folds),
        "all_folds": len(folds) == splits.n_folds(clips, split.name, folds=split.folds),
        "emotions": released["emotions"],
        "corpora": _corpora(_each_once([*clips, *inherited(plan.configuration(RELEASE))])),
        "noise": recipe.noise.name,
        "noise_recordings": recipe.noise_recordings,
        "noise_in_training": [f"{step.recordings} of {step.folder.name}" for step in backgrounds if step.folder],
        "soup": run.fit.soup,
        "left_out_change": recipe.left_out.change,
        "bits": recipe.bits,
        "whole_products": recipe.whole_products,
        "notices": list(recipe.notices),
        "parameters": released["parameters"],
        "multiply_adds": released["multiply_adds"],
        "release": {
            "sizes": released["sizes"],
            "epochs": released["epochs"],
            "accuracy": released["test"]["metrics"]["accuracy"]["value"],
            "speakers": released["test"]["speakers"],
        },
        **_learning(plan.configuration(RELEASE)),
        "emogram_version": emogram.__version__,
        "created": datetime.now(UTC).date().isoformat(),
    }


def _learning(configuration: Configuration) -> dict[str, Any]:
    """What it is and where it begins."""
    distilled, transferred = configuration.distillation, configuration.transfer
    return {
        "network": configuration.network.name,
        "spectrogram": configuration.spectrogram.name,
        "epochs": configuration.fit.epochs,
        "clip_s": configuration.audio.clip_s,
        "augmentation": [step.name for step in configuration.augmentation.waveform],
        "teacher": distilled.size if distilled is not None and distilled.teacher is not None else "",
        "block": distilled.block if distilled is not None and distilled.teacher is not None else 0,
        "starts_from": transferred.source.stem if transferred is not None else "",
        "learning_blocks": transferred.trained if transferred is not None else None,
    }


def _each_once(clips: Sequence[Clip]) -> list[Clip]:
    """Its own clips and those of the runs that it came from, which may be the same."""
    return list({clip.clip_id: clip for clip in clips}.values())


def _corpora(clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """A row for every corpus."""
    by_corpus: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_corpus[clip.corpus].append(clip)
    return [
        {
            "name": name,
            "title": CORPORA[name].title if name in CORPORA else name,
            "licence": CORPORA[name].licence if name in CORPORA else "unknown",
            "languages": list(CORPORA[name].languages) if name in CORPORA else [],
            "clips": len(own),
            "song": sum(clip.kind == "song" for clip in own),
            "speakers": len({clip.speaker for clip in own}),
            "hours": round(sum(clip.duration_s for clip in own) / 3600, 2),
            "emotions": [emotion for emotion in emogram.EMOTIONS if any(clip.emotion == emotion for clip in own)],
        }
        for name, own in sorted(by_corpus.items())
    ]


def _calibrated(runs: Sequence[Path]) -> dict[str, Any]:
    """One temperature and one threshold for the file that ships, from the validation parts of all folds."""
    logits: list[Array] = []
    truths: list[npt.NDArray[np.int64]] = []
    temperatures: list[float] = []
    for run in runs:
        answers, temperature = read_predictions(run / "predictions-validation.csv"), _metrics(run)["temperature"]
        logits.append(temperature * np.log(np.maximum(answers.probabilities.astype(np.float64), 1e-30)))
        truths.append(answers.truth)
        temperatures.append(temperature)
    every, truth = np.concatenate(logits), np.concatenate(truths)
    temperature = calibration.fit_temperature(every, truth)
    probabilities = calibration.apply_temperature(every, temperature)
    below = calibration.uncertainty_threshold(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)
    return {"temperature": temperature, "fold_temperatures": temperatures, "uncertain_below": below}
