"""All scores of a set of predictions: one JSON-ready dictionary, and the same as text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emogram.evaluation.metrics import METRICS, Predictions, accumulate, confusion_matrix, scores
from emogram.evaluation.statistics import LEVEL, REPLICATES, Interval, estimate

METHOD = "bootstrap over speakers, standard error times Student's t"


def summarise(predictions: Predictions, *, replicates: int = REPLICATES, seed: int = 0) -> dict[str, Any]:
    """Score predictions.

    Returns:
        ``clips``, ``speakers`` (how many, 0 where unknown), ``emotions``;
        ``interval``: ``level``, ``method``, ``replicates``, ``note``;
        ``metrics``: for each of `METRICS` ``value``, ``low``, ``high`` (the ends None where there is no interval);
        ``per_emotion``: for each emotion ``clips``, ``precision``, ``recall`` and ``f1`` in the same form, these three
        None for an emotion without clips;
        ``per_speaker``: for each speaker ``clips``, ``sex``, ``accuracy``, ``uar``, ``f1``;
        ``per_sex``: for each sex ``clips``, ``speakers`` and every metric in the same form;
        ``confusion``: clips, a row for each true and a column for each predicted emotion.
    """
    estimates = estimate(predictions, replicates=replicates, seed=seed)
    clips = np.bincount(predictions.truth, minlength=len(predictions.emotions))
    empty = dict.fromkeys(("recall", "precision", "f1"))
    return {
        "clips": len(predictions),
        "speakers": estimates.n_speakers,
        "emotions": list(predictions.emotions),
        "interval": {"level": LEVEL, "method": METHOD, "replicates": replicates, "note": estimates.note},
        "metrics": {name: _row(interval) for name, interval in estimates.metrics.items()},
        "per_emotion": {
            emotion: {"clips": int(count), **({k: _row(v) for k, v in each.items()} if each else empty)}
            for (emotion, each), count in zip(estimates.per_emotion.items(), clips, strict=True)
        },
        "per_speaker": _per_speaker(predictions),
        "per_sex": _per_sex(predictions, replicates, seed),
        "confusion": confusion_matrix(predictions).tolist(),
    }


def _row(interval: Interval) -> dict[str, float | None]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _per_speaker(predictions: Predictions) -> dict[str, dict[str, Any]]:
    known = [index for index, speaker in enumerate(predictions.speakers) if speaker]
    if not known:
        return {}
    chosen = predictions.take(known)
    speakers = sorted(set(chosen.speakers))
    place = {speaker: index for index, speaker in enumerate(speakers)}
    group = np.array([place[speaker] for speaker in chosen.speakers], dtype=np.int64)
    values = scores(accumulate(chosen, group, len(speakers)))
    sex_of = dict(zip(chosen.speakers, chosen.sexes, strict=True))
    clips = np.bincount(group)
    return {
        speaker: {
            "clips": int(clips[index]),
            "sex": sex_of[speaker],
            **{name: float(values[name][index]) for name in ("accuracy", "uar", "f1")},
        }
        for index, speaker in enumerate(speakers)
    }


def _per_sex(predictions: Predictions, replicates: int, seed: int) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for sex in sorted(set(predictions.sexes) - {""}):
        chosen = predictions.take([index for index, value in enumerate(predictions.sexes) if value == sex])
        estimates = estimate(chosen, replicates=replicates, seed=seed)
        metrics = {name: _row(interval) for name, interval in estimates.metrics.items()}
        table[sex] = {"clips": len(chosen), "speakers": estimates.n_speakers, **metrics}
    return table


def table(summary: Mapping[str, Any]) -> str:
    """A summary as text: metrics, emotions, sexes, the weakest speakers, confusions."""
    speakers = summary["speakers"]
    head = f"{summary['clips']} clips" + (f", {speakers} speakers" if speakers else "")
    note = summary["interval"]["note"]
    blocks = [
        head + (f"\n{note}" if note else ""),
        _columns(
            [[METRICS[name], *_shown(name, row)] for name, row in summary["metrics"].items()], ["", "", "95 % interval"]
        ),
        _columns(
            [
                [emotion, str(each["clips"]), *(_shown("f1", each[name])[0] for name in ("precision", "recall", "f1"))]
                for emotion, each in summary["per_emotion"].items()
            ],
            ["emotion", "clips", "precision", "recall", "F1"],
        ),
    ]
    if summary["per_sex"]:
        rows = [
            [sex, str(each["speakers"]), str(each["clips"]), *_shown("uar", each["uar"])]
            for sex, each in summary["per_sex"].items()
        ]
        blocks.append(_columns(rows, ["sex", "speakers", "clips", "UAR", "95 % interval"]))
    confusion = [
        [emotion, *map(str, counts)] for emotion, counts in zip(summary["emotions"], summary["confusion"], strict=True)
    ]
    blocks.append(_columns(confusion, ["true \\ predicted", *(emotion[:4] for emotion in summary["emotions"])]))
    return "\n\n".join(blocks) + "\n"


def _shown(metric: str, row: Mapping[str, float | None] | None) -> tuple[str, str]:
    """A value and its interval as text: percent, or three decimals for losses."""
    if row is None:
        return "-", ""

    def form(value: float) -> str:
        return f"{value:.3f}" if metric in {"log_loss", "brier", "ece"} else f"{100 * value:.1f} %"

    value, low, high = row["value"], row["low"], row["high"]
    interval = "" if low is None or high is None else f"{form(low)} to {form(high)}"
    return "-" if value is None else form(value), interval


def _columns(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Rows under a header, the first column left and the others right aligned."""
    lines = [header, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
