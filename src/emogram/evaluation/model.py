"""A model file put to the test: its answers for labelled clips, over the emotions that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emogram.corpora.clip import Clip
from emogram.errors import AudioError, CorpusError
from emogram.evaluation.predictions import Predictions
from emogram.recognition import load


@dataclass(frozen=True)
class Answers:
    """What a model made of labelled clips.

    Attributes:
        predictions: for the clips that it can be tested on.
        unusable: the errors of those whose recording cannot be used.
        strange: those whose emotion it was never taught, so that no answer could be right.
        learnt: corpora of these clips that the model says it learnt from, so that it may have heard clips and speakers.
    """

    predictions: Predictions
    unusable: tuple[AudioError, ...]
    strange: tuple[Clip, ...]
    learnt: tuple[str, ...]


def predict_clips(model: Path, clips: Sequence[Clip]) -> Answers:
    """Run a model on the clips whose emotion it knows.

    Raises:
        CorpusError: no clip is left; says why.
        ModelError: the model cannot be used.
    """
    if not clips:
        raise CorpusError(f"{model}: no clips to test it on; name other corpora")
    recognizer = load(model)
    strange = tuple(clip for clip in clips if clip.emotion not in recognizer.emotions)
    known = [clip for clip in clips if clip.emotion in recognizer.emotions]
    if not known:
        given, taught = sorted({clip.emotion for clip in clips}), ", ".join(recognizer.emotions)
        raise CorpusError(
            f"{model}: was taught {taught}, and the {len(clips)} clips have only {', '.join(given)}; choose others"
        )
    kept: list[Clip] = []
    rows: list[list[float]] = []
    errors: list[AudioError] = []
    for clip, answer in zip(known, recognizer.predict_many([clip.path for clip in known]), strict=True):
        if isinstance(answer, AudioError):
            errors.append(answer)
        else:
            kept.append(clip)
            rows.append(list(answer.probabilities.values()))
    if not kept:
        raise CorpusError(f"none of {len(known)} clips can be used; the first: {errors[0]}")
    predictions = Predictions.from_clips(kept, np.array(rows, dtype=np.float32), recognizer.emotions)
    learnt = tuple(sorted({clip.corpus for clip in kept}.intersection(recognizer.info.training_corpora)))
    return Answers(predictions, tuple(errors), strange, learnt)
