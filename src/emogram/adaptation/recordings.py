"""A model adapted to a folder of recordings, and what that is worth, JSON-ready: what the server does when it is asked to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from emogram import corpora
from emogram.adaptation.adapting import adapt
from emogram.evaluation.predictions import Predictions
from emogram.evaluation.statistics import estimate
from emogram.recognition import read_model


def adapt_to_recordings(
    folder: Path, model: bytes, *, heard: Callable[[int, int], None] | None = None
) -> tuple[bytes, dict[str, Any]]:
    """Adapt a model to the recordings of a folder, ``EMOTION/SPEAKER/NAME`` or ``EMOTION/NAME``.

    Args:
        folder: of recordings; their emotions are canonical ones or labels of the model.
        model: content of its file.
        heard: called after each clip, with the number heard and that of all; may raise to end it.

    Returns:
        The content of the adapted model's file, called as the model and ``-adapted``, and the facts: clips, named speakers, emotions,
        accuracy before and after with intervals, the sentence that compares them, notes.

    Raises:
        EmogramError: as `emogram.adaptation.adapt`, and where the folder holds no recording.
    """
    info = read_model(model).info
    # Recordings are kept under any label of their model, canonical or not.
    clips = corpora.scan_all([("folder", folder)], labels={label: label for label in info.labels})
    made = adapt(clips, model, progress=heard, name=f"{info.name}-adapted")
    comparison = made.compare()
    return made.content, {
        "clips": len(clips),
        "speakers": len({clip.speaker for clip in clips if clip.speaker}),
        "emotions": list(made.info.labels),
        "other_speakers": made.speaker_disjoint,
        "before": None if made.before is None else _accuracy(made.before),
        "after": _accuracy(made.after),
        "sentence": None if comparison is None else comparison.sentence,
        "notes": list(made.notes),
    }


def _accuracy(answers: Predictions) -> dict[str, float | None]:
    found = estimate(answers).metrics["accuracy"]
    return {"value": found.value, "low": found.low, "high": found.high}
