"""A small store of results: one network on unseen speakers and on a random split, another beside it, and a study."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from emogram.emotions import EMOTIONS
from emogram.evaluation import Predictions, write_predictions
from emogram.studies.results import export
from emogram.studies.store import Store
from emogram.training.material import prepare
from tests.studies import made_up as studies

SETTINGS = {
    "audio": {"clip_s": 3.0},
    "spectrogram": {"name": "logmel", "n_mels": 64, "window_ms": 25.0, "hop_ms": 10.0},
    "augmentation": {"waveform": [{"name": "speed"}], "spectrogram": [], "batch": []},
    "network": {"name": "cnn-small"},
    "fit": {"epochs": 30, "batch_size": 32, "optimizer": {"name": "adamw", "learning_rate": 0.002}},
}


def predictions(skill: float, *, seed: int = 0, speakers: int = 6) -> Predictions:
    """Answers to eight clips of each speaker, under names that RAVDESS has."""
    emotions = EMOTIONS[:8]
    names = [
        (f"ravdess/03-01-{at + 1:02}-{2 if at else 1:02}-01-01-{speaker:02}", f"ravdess-{speaker:02}", speaker, at)
        for speaker in range(1, speakers + 1)
        for at in range(8)
    ]
    truth = np.array([at for *_, at in names])
    logits = np.random.default_rng(seed).normal(0, 1, (len(names), 8))
    logits[np.arange(len(names)), truth] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(
        clip_ids=tuple(clip for clip, *_ in names),
        corpora=("ravdess",) * len(names),
        speakers=tuple(speaker for _, speaker, *_ in names),
        sexes=tuple("male" if number % 2 else "female" for *_, number, _ in names),
        truth=truth,
        probabilities=probabilities.astype(np.float32),
        emotions=emotions,
    )


def write_result(folder: Path, split: str, skill: float, *, unseen: bool = True, seed: int = 0, **fields: Any) -> Path:
    """A folder of the store: `fields` replace or add to what is in its ``metrics.json``."""
    folder.mkdir(parents=True)
    metrics = {
        "name": "small",
        "split": {"name": split, "speaker_disjoint": unseen},
        "parameters": 420_000,
        "multiply_adds": 5_000_000,
        "configuration": {**SETTINGS, "split": {"name": split}},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics | fields))
    write_predictions(folder / "predictions-test.csv", predictions(skill, seed=seed))
    return folder


def write_store(folder: Path) -> Path:
    """Three results and a study."""
    write_result(folder / "unseen", "ravdess-emobox", 1.5)
    write_result(folder / "random", "stratified", 2.5, unseen=False, seed=1)
    transfer = {**SETTINGS, "network": {"name": "whisper-base"}, "transfer": {"source": "sha256 0123456789abcdef"}}
    write_result(folder / "whisper", "ravdess-emobox", 3.0, seed=2, name="other", configuration=transfer)
    write_study(folder / "studies" / "small", folder.with_name("runs"))
    return folder


def write_study(target: Path, store_folder: Path) -> None:
    """Export a study in which one point is better than the base, and the other is like it."""
    budget = {"words": "nothing that takes long", "epochs": 1, "runs": 30}
    plan, tasks = studies.plan(studies.study(seeds=[0, 1, 2], budget=budget, groups=["sex"]), n_speakers=12)
    store = Store(store_folder)
    for task in tasks:
        tested = list(prepare(task.configuration, studies.clips(12)).split.test)
        luck = np.random.default_rng([task.run.fold, task.run.seed]).random(len(tested))
        skill = 0.95 if task.run.point == "good" else 0.4
        right = {clip.clip_id: bool(value < skill) for clip, value in zip(tested, luck, strict=True)}
        studies.write_run(store.run(task.run.key), task.run.key, studies.answers(tested, right))
    plan.write(store)
    export(store.study("small"), target)
