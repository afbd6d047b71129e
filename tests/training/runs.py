"""One corpus and one run over two folds that many tests look at, small enough to be made within a test session."""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emogram import corpora
from emogram.corpora import Clip, synthetic
from emogram.training import outcome, run
from emogram.training.configuration import Configuration, load
from emogram.training.folds import of_fold, train_folds
from emogram.training.run_folder import METRICS

RATE = 16_000
SETTINGS = (
    "name=small",
    "split.name=kfold",
    "split.folds=4",
    "network=cnn-tiny",
    "audio.clip_s=0.5",
    "spectrogram.n_mels=16",
    "fit.epochs=4",
    "fit.batch_size=8",
    "runtime.threads=1",
)
SHORT, LONG, SILENT = "f01_angry_s1_t01", "m01_happy_s1_t01", "f02_sad_s1_t01"


@dataclass(frozen=True)
class Material:
    """A corpus on disk and where its decoded audio is kept."""

    corpus: Path
    cache: Path

    def settings(self, *more: str) -> list[str]:
        """What one would type after `emogram train`, but for the corpus."""
        return [*SETTINGS, f"runtime.cache={self.cache}", *more]

    def configuration(self, *more: str) -> Configuration:
        return load(None, self.settings(f"corpora.synthetic={self.corpus}", *more))

    def clips(self) -> list[Clip]:
        return corpora.scan("synthetic", self.corpus)


@dataclass(frozen=True)
class Folds:
    """Folds 1 and 2 of 4, trained in one process."""

    material: Material
    folder: Path

    @property
    def metrics(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / METRICS).read_text())
        return content

    @property
    def run(self) -> Path:
        return self.folder / "fold-1"


class Small:
    """A run of a few clips for two epochs, in a folder of its own."""

    def __init__(self, material: Material, folder: Path) -> None:
        self.material = material
        self.folder = folder
        irregular = {SHORT, LONG, SILENT}
        clips = [clip for clip in material.clips() if Path(clip.path).stem not in irregular]
        self.clips = [clip for clip in clips if clip.emotion in {"angry", "sad"}]

    def configuration(self, *settings: str) -> Configuration:
        return self.material.configuration("fit.epochs=2", *settings)

    def train(self, *settings: str, scores_only: bool = False) -> dict[str, Any]:
        return run.train(self.configuration(*settings), self.folder, clips=self.clips, scores_only=scores_only)


def root(base: Path) -> Path:
    """The folder that all processes of one test session share."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(folder: Path, make: Callable[[], None]) -> None:
    """Let the first of several test processes make something, and the others wait for it."""
    claimed, done = folder.with_name(f"{folder.name}.claimed"), folder.with_name(f"{folder.name}.done")
    try:
        claimed.mkdir(parents=True)
    except FileExistsError:
        while not done.exists():
            time.sleep(0.1)
    else:
        try:
            make()
        finally:
            done.touch()


def material(base: Path) -> Material:
    """Four voices with twelve clips each; one clip is too short for the model, one too long, one is silent."""
    made = Material(root(base) / "voices", root(base) / "cache")
    made_once(made.corpus, lambda: _render(made.corpus))
    return made


def _render(corpus: Path) -> None:
    synthetic.render(corpus, speakers=4, takes=1)
    for path in corpus.glob("*/*.wav"):
        if "_s1_" not in path.name and "_s2_" not in path.name:
            path.unlink()
    wave, _ = soundfile.read(corpus / "f01" / f"{SHORT}.wav", dtype="float32")
    soundfile.write(corpus / "f01" / f"{SHORT}.wav", wave[: round(0.3 * RATE)], RATE)
    wave, _ = soundfile.read(corpus / "m01" / f"{LONG}.wav", dtype="float32")
    soundfile.write(corpus / "m01" / f"{LONG}.wav", np.resize(wave, round(12.3 * RATE)), RATE)
    soundfile.write(corpus / "f02" / f"{SILENT}.wav", np.zeros(RATE, np.float32), RATE)


def folds(base: Path) -> Folds:
    """The run over folds; the second has neither model nor pictures, which take long."""
    made = Folds(material(base), root(base) / "folds")
    made_once(made.folder, lambda: _train(made))
    return made


def _train(made: Folds) -> None:
    configuration, clips = made.material.configuration(), made.material.clips()
    run.train(of_fold(configuration, 1), made.folder / "fold-1", clips=clips)
    train_without_export(of_fold(configuration, 2), made.folder / "fold-2", clips)
    train_folds(configuration, made.folder, clips, folds=[1, 2])


def train_without_export(configuration: Configuration, folder: Path, clips: Sequence[Clip]) -> dict[str, Any]:
    """A run without its model file and pictures, in this or another process."""

    def nothing(*_: Any) -> float:
        return 0.0

    with pytest.MonkeyPatch.context() as patch:
        for name in ("export", "largest_difference", "draw_scores", "draw_spectrograms", "draw_explanation"):
            patch.setattr(outcome, name, nothing)
        return run.train(configuration, folder, clips=clips)
