"""Canonical emotion names, in the fixed order in which every table, figure and model lists them."""

from collections.abc import Iterable

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
    "boredom",
)
"""Every emotion that a corpus here can carry. A corpus or model holds a subset, in this order."""


def ordered(emotions: Iterable[str]) -> tuple[str, ...]:
    """The distinct emotions given: canonical ones in canonical order, then any others alphabetically.

    >>> ordered(["sad", "neutral", "sad", "bored stiff"])
    ('neutral', 'sad', 'bored stiff')
    """
    distinct = set(emotions)
    known = tuple(emotion for emotion in EMOTIONS if emotion in distinct)
    return known + tuple(sorted(distinct.difference(EMOTIONS)))
