"""The words that people use for emotions in their own data, mapped to the canonical names."""

import shlex
from collections.abc import Mapping

from emogram.emotions import EMOTIONS
from emogram.errors import ConfigurationError

SYNONYMS: dict[str, str] = {
    **{emotion: emotion for emotion in EMOTIONS},
    "neutrality": "neutral",
    "calmness": "calm",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "sadness": "sad",
    "anger": "angry",
    "fear": "fearful",
    "disgusted": "disgust",
    "surprise": "surprised",
    "pleasant_surprise": "surprised",
    "bored": "boredom",
}
"""Labels that need no label map, in lower case."""


def label_table(labels: Mapping[str, str]) -> dict[str, str]:
    """`SYNONYMS` with the user's own label map on top, keys in lower case.

    A map may name emotions beyond the canonical ones if it maps the new name to itself as well, which no typing mistake
    does: ``{"smug": "contempt", "contempt": "contempt"}``.

    Raises:
        ConfigurationError: a label is mapped to an emotion that is neither canonical nor mapped to itself.
    """
    own = {label.strip().lower(): emotion.strip().lower() for label, emotion in labels.items()}
    for label, emotion in own.items():
        if emotion not in EMOTIONS and own.get(emotion) != emotion:
            raise ConfigurationError(
                f"labels: {label!r} is mapped to {emotion!r}, which is no emotion here; choose from "
                f"{', '.join(EMOTIONS)}, or map {emotion!r} to itself as well to add it"
            )
    return {**SYNONYMS, **own}


def mapping_remedy(label: str) -> str:
    """How a label that is no known emotion is mapped to one, or kept as an emotion of its own."""
    map_it = shlex.quote(f"{label or 'LABEL'}=EMOTION")
    keep_it = f", or to itself: --label {shlex.quote(f'{label}={label}')}" if label else ""
    return f"map it with: --label {map_it}, to one of {', '.join(EMOTIONS)}{keep_it}"
