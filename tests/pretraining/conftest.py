"""A bundled model made from synthetic voices once, for all tests of pretraining."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emogram.corpora import Clip
from emogram.corpora.clip import write_manifest
from emogram.networks.classifier import Classifier
from emogram.pretraining.recipe import Plan, Recipe, gather_clips
from emogram.pretraining.steps import STEPS, pretrain
from emogram.recognition.model_file import ModelInfo
from emogram.training import outcome
from tests.recognition.small_models import graph, pack
from tests.training import runs


@dataclass(frozen=True)
class Made:
    """A model with all its steps done.

    Attributes:
        plan: of the model.
        clips: that it learned from.
    """

    plan: Plan
    clips: Sequence[Clip]


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> runs.Material:
    return runs.material(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def data(material: runs.Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two corpora, one of which sings, by other speakers, as manifests; and noises."""
    folder = runs.root(tmp_path_factory.getbasetemp()) / "pretraining-data"
    runs.made_once(folder, lambda: _prepare(material, folder))
    return folder


def _prepare(material: runs.Material, folder: Path) -> None:
    clips = [clip for clip in material.clips() if Path(clip.path).stem not in {runs.SHORT, runs.LONG, runs.SILENT}]
    folder.mkdir()
    sung = {clip.clip_id for clip in clips if clip.emotion == "angry" and clip.sex == "male"}
    first = [replace(clip, kind="song") if clip.clip_id in sung else clip for clip in clips if clip.text == "s1"]
    write_manifest(folder / "first.csv", first)
    second = [clip for clip in clips if clip.text == "s2" and clip.emotion != "neutral"]
    write_manifest(folder / "second.csv", [_other(clip) for clip in second])
    noise = folder / "noise" / "rain"
    noise.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("1-rain", "5-rain"):
        soundfile.write(noise / f"{name}.wav", rng.normal(0, 0.1, 16_000).astype(np.float32), 16_000)


def recipe(cache: Path, **changes: Any) -> Recipe:
    fields: dict[str, Any] = {
        "name": "tiny",
        "summary": "A small network of synthetic voices.",
        "corpora": {"synthetic": "first.csv", "other": "second.csv"},
        "emotions": ["neutral", "happy", "sad", "angry"],
        "protocol": "kfold",
        "noise": "noise",
        "noise_recordings": "5-*",
        "snr_db": [20, 0],
        "bits": 12,
        "notices": ["Taught by nobody."],
        "configuration": {
            "split": {"folds": 2},
            "network": "cnn-tiny",
            "audio": {"clip_s": 0.5},
            "spectrogram": {"n_mels": 16},
            "fit": {"epochs": 1, "batch_size": 8},
            "runtime": {"threads": 1, "cache": str(cache)},
        },
    }
    return Recipe.model_validate(fields | changes)


@pytest.fixture(scope="session")
def made(data: Path, material: runs.Material, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Every step done."""
    folder = runs.root(tmp_path_factory.getbasetemp()) / "pretrained" / "tiny"
    plan = Plan(recipe(material.cache), data, folder)
    clips = gather_clips(plan)
    runs.made_once(folder, lambda: _make(plan, clips))
    return Made(plan, plan.chosen(clips))


def _make(plan: Plan, clips: Sequence[Clip]) -> None:
    """All steps. Runs export the smallest of models, since an export takes long; the bundle is a real one."""

    def export_little(_: Classifier, info: ModelInfo, path: Path) -> None:
        path.write_bytes(pack(graph(len(info.labels)), info.to_metadata()).SerializeToString())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcome, "export", export_little)
        patch.setattr(outcome, "largest_difference", lambda *_: 0.0)
        patch.setattr(outcome, "draw_scores", lambda *_: None)
        patch.setattr(outcome, "draw_spectrograms", lambda *_: None)
        pretrain(plan, clips, steps=STEPS)


def _other(clip: Clip) -> Clip:
    """Another sentence by the same voice, as another speaker of another corpus that is never neutral."""
    return replace(
        clip,
        clip_id=f"other/{Path(clip.path).stem}",
        corpus="other",
        speaker=clip.speaker.replace("synthetic", "other"),
    )
