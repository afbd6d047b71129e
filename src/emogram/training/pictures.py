"""The figures of a run folder: confusion, learning curves, reliability, scores by emotion, example spectrograms."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from emogram.corpora.clip import Clip
from emogram.emotions import ordered
from emogram.errors import AudioError
from emogram.evaluation import figures
from emogram.evaluation.explained import draw
from emogram.evaluation.metrics import confusion_matrix
from emogram.evaluation.predictions import Predictions
from emogram.evaluation.style import write
from emogram.recognition import Recognizer, read_model
from emogram.spectrograms import Spectrogram
from emogram.training.cache import AudioCache


def draw_scores(folder: Path, findings: dict[str, Any], test: Predictions) -> None:
    """Draw what a run or several folds scored on the test part, and how they learnt, into ``figures/``.

    Args:
        folder: of the run; its ``history.csv`` is read where there is one.
        findings: with the summary of the test part and the best epoch.
        test: predictions of the test part.
    """
    target = folder / "figures"
    target.mkdir(exist_ok=True)
    figures.save(figures.confusion(confusion_matrix(test), test.emotions), target / "confusion")
    figures.save(figures.reliability_diagram(test), target / "reliability")
    figures.save(figures.emotion_bars(findings["test"]), target / "per-emotion")
    history = folder / "history.csv"
    if history.exists():
        with history.open(newline="", encoding="utf-8") as file:
            epochs = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        curves = figures.learning_curves(epochs, best_epoch=findings["best_epoch"])
        figures.save(curves, target / "learning-curves")


def draw_spectrograms(folder: Path, clips: Sequence[Clip], front_end: Spectrogram, cache: AudioCache) -> None:
    """Draw what the network sees of one clip of each emotion, of one speaker where possible, into ``figures/``.

    Only the first channel is drawn, and nothing where its values are no levels over frequency, which is all the figure
    has axes for.
    """
    if front_end.db_per_value is None or front_end.axis.quantity != "frequency in Hz":
        return
    target = folder / "figures"
    target.mkdir(exist_ok=True)
    hop_s = front_end.hop_s(cache.sample_rate)
    chosen = _one_of_each_emotion(clips)
    examples = []
    for clip in chosen:
        with torch.inference_mode():
            spec = front_end(torch.from_numpy(cache(clip))[None])[0, 0].numpy()
        title = f"{clip.emotion}, {_drawable(clip.speaker)}" if clip.speaker else clip.emotion
        examples.append(figures.Example(title, spec * front_end.db_per_value, hop_s, front_end.centres_hz))
    figures.save(figures.spectrogram_grid(examples), target / "spectrograms")


def draw_explanation(folder: Path, model: Path, test: Predictions, clips: Sequence[Clip], cache: AudioCache) -> None:
    """Draw what spoke for the answer to one clip, into ``figures/``: the first of the test part that was answered rightly.

    Args:
        folder: of the run.
        model: the exported file, which is asked.
        test: predictions of the test part.
        clips: of the test part.
        cache: gives waves.
    """
    right = {clip_id for clip_id, good in zip(test.clip_ids, test.predicted == test.truth, strict=True) if good}
    recognizer = Recognizer(read_model(model))
    for clip in clips:
        if clip.clip_id not in right:
            continue
        wave = cache(clip)
        try:
            explanation = recognizer.explain(wave, emotion=clip.emotion, workers=1)
        except AudioError:  # a silent clip has an answer, and nothing that speaks for it
            continue
        target = folder / "figures"
        target.mkdir(exist_ok=True)
        write(draw(explanation, wave, cache.sample_rate, title=_drawable(clip.clip_id)), target / "explanation.png")
        return


def _drawable(name: str) -> str:
    """A name from a file's, whose bytes may be no UTF-8."""
    return name.encode(errors="backslashreplace").decode()


def _one_of_each_emotion(clips: Sequence[Clip]) -> list[Clip]:
    """The first clip of each emotion, in the order of the emotions, all of the first speaker if that one has them."""
    first_speaker = [clip for clip in clips if clip.speaker == clips[0].speaker]
    chosen: dict[str, Clip] = {}
    for clip in [*first_speaker, *clips]:
        chosen.setdefault(clip.emotion, clip)
    return [chosen[emotion] for emotion in ordered(chosen)]
