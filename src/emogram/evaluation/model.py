"""A model file put to the test: its answers for labelled clips, over the emotions that it knows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emogram.corpora.clip import Clip
from emogram.errors import AudioError, CorpusError
from emogram.evaluation.predictions import Predictions
from emogram.recognition import load


def predict_clips(model: Path, clips: Sequence[Clip]) -> tuple[Predictions, list[AudioError]]:
    """Predictions for the clips whose emotion the model knows, and the errors of those that cannot be used.

    Clips with an emotion that the model was never taught are left out: no answer could be right.

    Raises:
        CorpusError: no clip is left.
        ModelError: the model cannot be used.
    """
    recognizer = load(model)
    known = [clip for clip in clips if clip.emotion in recognizer.emotions]
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
        raise CorpusError(
            f"{model}: none of the {len(clips)} clips can be used; the model knows {', '.join(recognizer.emotions)}"
        )
    return Predictions.from_clips(kept, np.array(rows, dtype=np.float32), recognizer.emotions), errors
