"""The numbers of a card, computed from a folder of results."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emogram.errors import TrainingError
from emogram.evaluation.predictions import Predictions, among, own_emotions
from emogram.evaluation.statistics import compare
from emogram.evaluation.summary import summarise
from emogram.pretraining.results import Store


def score_sheet(store: Store) -> dict[str, Any]:
    """Every number of a card.

    Scores are those of the file that ships where it was heard (`conditions`), else those of the full network. They are
    over the emotions of the corpus that is tested; `open` holds those over all emotions that the model knows.

    Returns:
        ``facts``; ``held_out`` (as `summarise`); ``open`` (the metrics); ``as_trained`` (accuracy of the network before
        compaction, None where the file was not heard); ``noise`` (a row a ratio); ``left_out`` (a row a corpus);
        ``uncertain`` (what calling answers uncertain does, None without a threshold).

    Raises:
        TrainingError: predictions are missing or damaged.
    """
    facts, trained = store.facts, store.predictions("held-out")
    if trained is None:
        raise TrainingError(f"{store.folder}: holds no held-out.csv; do the step bundle again")
    clean = store.predictions("clean")
    shipped = trained if clean is None else clean
    own = own_emotions(shipped)
    masked = among(shipped, own)
    return {
        "facts": facts,
        "held_out": summarise(masked),
        "open": summarise(shipped)["metrics"],
        "as_trained": None if clean is None else _accuracy(among(trained, own)),
        "noise": [_noisy(snr_db, among(answers, own), masked) for snr_db, answers in store.noisy().items()],
        "left_out": [_left_out(corpus, answers) for corpus, answers in store.without().items()],
        "uncertain": _uncertain(shipped, facts["uncertain_below"]),
    }


def file_scores(sheet: dict[str, Any]) -> dict[str, float | str]:
    """What the model file says of its scores."""
    facts, metrics = sheet["facts"], sheet["held_out"]["metrics"]
    folds = f"{len(facts['folds'])} folds" + ("" if facts["all_folds"] else ", not all")
    values: dict[str, float | str] = {
        "protocol": f"{facts['protocol']}, {folds}, cross-validated; the weights in this file heard more speakers",
        "speakers": "unseen",
        **{name: metrics[name]["value"] for name in ("accuracy", "uar", "f1", "ece")},
    }
    values |= {f"accuracy at {row['snr_db']:g} dB": row["accuracy"]["value"] for row in sheet["noise"]}
    return values | {f"uar on {row['corpus']}, trained without": row["uar"]["value"] for row in sheet["left_out"]}


def _accuracy(predictions: Predictions) -> float:
    return float(np.mean(predictions.predicted == predictions.truth))


def _noisy(snr_db: float, answers: Predictions, clean: Predictions) -> dict[str, Any]:
    difference = compare(answers, clean, metric="accuracy").difference
    metrics = summarise(answers)["metrics"]
    return {
        "snr_db": snr_db,
        **{name: metrics[name] for name in ("accuracy", "uar", "ece")},
        "change": {"value": difference.value, "low": difference.low, "high": difference.high},
    }


def _left_out(corpus: str, answers: Predictions) -> dict[str, Any]:
    own = own_emotions(answers)
    summary = summarise(among(answers, own))
    return {
        "corpus": corpus,
        "clips": summary["clips"],
        "speakers": summary["speakers"],
        "emotions": list(own),
        "chance": 1 / len(own),
        **{name: summary["metrics"][name] for name in ("accuracy", "uar")},
    }


def _uncertain(answers: Predictions, below: float | None) -> dict[str, float] | None:
    if below is None:
        return None
    sure = answers.confidence >= below
    right = answers.predicted == answers.truth
    return {
        "below": below,
        "share": float(np.mean(~sure)),
        "accuracy_when_sure": _mean(right[sure]),
        "accuracy_when_not": _mean(right[~sure]),
    }


def _mean(values: "np.ndarray[Any, np.dtype[np.bool_]] | Sequence[bool]") -> float:
    return float(np.mean(values)) if len(values) else 0.0
