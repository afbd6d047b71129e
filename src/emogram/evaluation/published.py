"""Results from the literature, to stand beside one's own."""

import csv
import io
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from emogram.corpora import ravdess
from emogram.emotions import ordered
from emogram.errors import ConfigurationError, did_you_mean
from emogram.evaluation.predictions import Predictions

PREDICTIONS = ("luna-xlsr",)
"""Published systems of which the answer to every clip is packaged. ``luna-xlsr``: the fine-tuned xlsr-wav2vec 2.0 of
Luna-Jimenez et al. (Applied Sciences 2022), on its five folds of unseen speakers, `ravdess-luna`; from the repository
cristinalunaj/MMEmotionRecognition (MIT)."""


@dataclass(frozen=True)
class PublishedResult:
    """One published result; numbers in percent, None where the source gives none.

    Attributes:
        protocol: what it was obtained on; a name of `emogram.splits.PROTOCOLS` where it is one of them. Compare only
            results of one protocol.
        system: the system, and how it was obtained.
        accuracy: weighted accuracy.
        uar: unweighted average recall.
        f1: macro F1.
    """

    protocol: str
    system: str
    accuracy: float | None
    uar: float | None
    f1: float | None


def published_results() -> tuple[PublishedResult, ...]:
    """The packaged results, by protocol, best first as published."""
    text = (resources.files("emogram") / "protocols" / "published_results.json").read_text(encoding="utf-8")
    stored = json.loads(text)["results"]
    return tuple(PublishedResult(**row) for row in stored)


def published_predictions(name: str) -> Predictions:
    """The answers of a published system, one of `PREDICTIONS`, to the clips of its test parts.

    The source tells the emotion that was found and no probabilities, so the found one has all of it: good for accuracy,
    recall, precision and F1, not for loss or calibration.

    Raises:
        ConfigurationError: no such system.
    """
    if name not in PREDICTIONS:
        raise ConfigurationError(
            f"published system {name!r:.80}: none of that name is packaged"
            f"{did_you_mean(name, PREDICTIONS) or ';'} choose {', '.join(PREDICTIONS)}"
        )
    text = (resources.files("emogram") / "protocols" / f"{name}.csv").read_text(encoding="utf-8")
    rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["clip"])
    emotions = ordered(row["truth"] for row in rows)
    clips = [ravdess.read(Path(f"{row['clip']}.wav")) for row in rows]
    found = np.array([emotions.index(row["predicted"]) for row in rows])
    return Predictions.from_clips([clip for clip in clips if clip], np.eye(len(emotions))[found], emotions)
