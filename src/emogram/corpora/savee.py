"""SAVEE: four British men, 7 emotions, 480 clips.

Names are ``DC_a01.wav`` (as in most copies) or ``DC/a01.wav`` (as in the official archive): speaker, emotion letters,
sentence number. Neutral has 30 sentences, the others 15.
"""

import re
from collections.abc import Collection
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name

LABELS = {
    "a": "angry",
    "d": "disgust",
    "f": "fearful",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprised",
}
_SPEAKERS = ("DC", "JE", "JK", "KL")
_STEM = re.compile(r"(?:(DC|JE|JK|KL)_)?(a|d|f|h|n|sa|su)(\d\d)", re.ASCII)


def read(path: Path) -> Clip | None:
    """The clip that a file's name and folder say it is, or None where they are no names of SAVEE."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    speaker = match[1] or path.parent.name
    if speaker not in _SPEAKERS:
        return None
    return Clip(
        clip_id=f"savee/{speaker}_{match[2]}{match[3]}",
        path=str(path),
        corpus="savee",
        speaker=f"savee-{speaker}",
        sex="male",
        emotion=LABELS[match[2]],
        raw_label=match[2],
        text=f"{match[2]}{match[3]}",
    )


def find(root: Path) -> list[Clip]:
    """All SAVEE clips under a folder."""
    return clips_by_name(root, read)


def official(kinds: Collection[str]) -> frozenset[str]:
    """The official ``clip_id``; SAVEE is speech only."""
    del kinds
    return frozenset(
        f"savee/{speaker}_{label}{number:02d}"
        for speaker in _SPEAKERS
        for label in LABELS
        for number in range(1, 31 if label == "n" else 16)
    )


SAVEE = Corpus(
    name="savee",
    title="SAVEE, Surrey Audio-Visual Expressed Emotion (480 clips, 4 men)",
    licence="research only, after registration",
    citation="Haq & Jackson (2009), Speaker-dependent audio-visual emotion recognition, AVSP 2009",
    languages=("English",),
    labels=LABELS,
    address="http://kahlan.eps.surrey.ac.uk/savee/",
    example="AudioData/DC/a01.wav",
    find=find,
    official=official,
)
