"""Groups of clips that a study scores apart: by sex, by intensity, by natural length.

They are drawn when the study is planned and lie in the plan, so that scores of groups need no audio and no manifest.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from emogram.corpora.clip import Clip
from emogram.evaluation.predictions import Predictions

Grouping = Literal["sex", "intensity", "length"]

_LABELS = {"sex": "{}", "intensity": "intensity {}"}


def group(clips: Sequence[Clip], by: Sequence[Grouping]) -> dict[str, list[str]]:
    """The clips of every group, by a label that says what they have in common.

    Args:
        clips: of all corpora of the study.
        by: what they are grouped by; lengths fall into three groups of about as many clips each.

    Returns:
        Label to identifiers of clips; a clip that does not tell is in no group.
    """
    found: dict[str, list[str]] = {}
    for what in by:
        if what == "length":
            found |= _by_length(clips)
            continue
        for value in sorted({getattr(clip, what) for clip in clips} - {""}):
            found[_LABELS[what].format(value)] = [clip.clip_id for clip in clips if getattr(clip, what) == value]
    return found


def of_group(answers: Predictions, clip_ids: frozenset[str]) -> Predictions | None:
    """The answers for clips of a group, or None where there are none."""
    rows = [at for at, clip_id in enumerate(answers.clip_ids) if clip_id in clip_ids]
    return answers.take(rows) if rows else None


def _by_length(clips: Sequence[Clip]) -> dict[str, list[str]]:
    """Thirds by length, with edges at tenths of a second that the labels name."""
    lengths = [clip.duration_s for clip in clips]
    low, high = (round(float(edge), 1) for edge in np.quantile(lengths, (1 / 3, 2 / 3)))
    labels = (f"to {low:g} s", f"{low:g} to {high:g} s", f"over {high:g} s")
    found: dict[str, list[str]] = {label: [] for label in labels}
    for clip in clips:
        found[labels[(clip.duration_s > low) + (clip.duration_s > high)]].append(clip.clip_id)
    return {label: members for label, members in found.items() if members}
