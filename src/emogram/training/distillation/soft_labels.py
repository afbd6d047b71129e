"""Answers of teachers for the training part, each from teachers that were not trained on that clip."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emogram.errors import ConfigurationError
from emogram.evaluation.predictions import Predictions, read_predictions
from emogram.splits.split import recording, sources
from emogram.training.distillation.heard import Heard, heard, runs_of
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.material import Material

_FIELD = "distillation.predictions"
_LEAST = 1e-8
"""Probability below which a teacher is not asked how much less it is."""


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """What teachers say of the clips of the training part.

    Attributes:
        probabilities: [M, K], softened; zeros for a clip of which no teacher may speak.
        known: [M], one where a teacher may.
        temperature: that they were softened by.
        share: of them in the loss where they are known, 0 to 1.
    """

    probabilities: Tensor
    known: Tensor
    temperature: float
    share: float

    @property
    def count(self) -> int:
        """Number of clips that have any."""
        return int(self.known.sum())


def soft_labels(settings: DistillationSettings, material: Material) -> SoftLabels | None:
    """The mean of the softened answers of all teachers that may speak of a clip, or None where no files are given.

    A teacher may not speak of a recording that it was trained on: what it says there is the label that it has learned.

    Raises:
        LeakError: a teacher has heard a test speaker.
        ConfigurationError: a file that lies in no run or lacks an emotion, or files that say nothing of the training part.
        CorpusError: a damaged file.
    """
    if not settings.predictions:
        return None
    said: defaultdict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    source_of = sources(material.split.train)
    clips = {clip.clip_id: clip for clip in material.split.train}
    for path in settings.predictions:
        teachers = [heard(run, _FIELD) for run in runs_of(path)]
        for teacher in teachers:
            teacher.require_none_of(material.split.test, _FIELD)
        answers = read_predictions(path)
        softened = _soften(answers.probabilities, settings.temperature)
        for clip_id, row in zip(answers.clip_ids, softened, strict=True):
            clip = clips.get(clip_id)
            if clip is not None and _may_speak(teachers, clip_id, recording(clip, source_of)):
                said[clip_id].append(_for(row, answers, material, clip.corpus, str(path)))
    if not said:
        raise ConfigurationError(
            f"{_FIELD}: say nothing of the {len(clips)} training clips that their own teachers were not trained on; "
            "give predictions of teachers trained on other parts of them"
        )
    return _table(said, list(clips), len(material.emotions), settings)


def _may_speak(teachers: Sequence[Heard], clip_id: str, hash_: str) -> bool:
    """Whether the teacher of a row was not trained on its clip; of pooled folds it is the one that tests it."""
    speaker = teachers if len(teachers) == 1 else [teacher for teacher in teachers if clip_id in teacher.test]
    return bool(speaker) and all(hash_ not in teacher.fitted for teacher in speaker)


def _soften(probabilities: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float64]:
    logits = np.log(probabilities.astype(np.float64).clip(_LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softened: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return softened


def _for(
    row: npt.NDArray[np.float64], answers: Predictions, material: Material, corpus: str, source: str
) -> npt.NDArray[np.float64]:
    """One answer over this run's emotions, of those alone that the clip's corpus can have."""
    values = np.zeros(len(material.emotions))
    for place, emotion in enumerate(material.emotions):
        if emotion not in material.allowed[corpus]:
            continue
        if emotion not in answers.emotions:
            raise ConfigurationError(
                f"{_FIELD}={source}: its teacher does not know '{emotion}', which {corpus} has; choose another teacher"
            )
        values[place] = row[answers.emotions.index(emotion)]
    answer: npt.NDArray[np.float64] = values / values.sum()
    return answer


def _table(
    said: dict[str, list[npt.NDArray[np.float64]]], clip_ids: Sequence[str], width: int, settings: DistillationSettings
) -> SoftLabels:
    rows = [np.mean(said[clip_id], axis=0) if clip_id in said else np.zeros(width) for clip_id in clip_ids]
    return SoftLabels(
        probabilities=torch.tensor(np.array(rows), dtype=torch.float32),
        known=torch.tensor([float(clip_id in said) for clip_id in clip_ids]),
        temperature=settings.temperature,
        share=settings.soft,
    )
