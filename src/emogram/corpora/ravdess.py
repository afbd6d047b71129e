"""RAVDESS: 24 actors, two sentences, spoken (1440 clips, 8 emotions) and sung (1012 clips, 6 emotions).

Names are seven two-digit fields: modality (03 = audio only), channel (01 speech, 02 song), emotion, intensity,
statement, repetition, actor: ``03-01-05-02-01-01-12.wav``. Actor 18 sings nothing. Known quirks: five spoken clips and
one sung are stereo with equal channels; ``03-01-03-01-02-01-07`` and ``03-01-03-01-02-02-07`` are byte-identical.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from itertools import product
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name

LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
SONG_LABELS = {code: emotion for code, emotion in LABELS.items() if code <= "06"}

_KINDS = {"01": "speech", "02": "song"}
_INTENSITIES = {"01": "normal", "02": "strong"}
_STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
_ACTORS = tuple(f"{actor:02d}" for actor in range(1, 25))
_STEM = re.compile(r"03-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])", re.ASCII)


def read(path: Path) -> Clip | None:
    """The clip that a file's name says it is, or None where the name is no name of RAVDESS audio."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    channel, label, intensity, statement, repetition, actor = match.groups()
    return Clip(
        clip_id=f"ravdess/{path.stem}",
        path=str(path),
        corpus="ravdess",
        speaker=f"ravdess-{actor}",
        sex="male" if int(actor) % 2 else "female",
        emotion=LABELS[label],
        raw_label=label,
        intensity=_INTENSITIES[intensity],
        text=_STATEMENTS[statement],
        take=repetition,
        kind=_KINDS[channel],
    )


def find(root: Path) -> list[Clip]:
    """All RAVDESS clips under a folder, spoken and sung."""
    return clips_by_name(root, read)


def official(kinds: Collection[str]) -> frozenset[str]:
    """The official ``clip_id`` of the given kinds, or of both where none is given."""
    ids: set[str] = set()
    for channel, kind in _KINDS.items():
        if kinds and kind not in kinds:
            continue
        labels = LABELS if kind == "speech" else SONG_LABELS
        actors = [actor for actor in _ACTORS if kind == "speech" or actor != "18"]
        for fields in product(labels, _INTENSITIES, _STATEMENTS, ("01", "02"), actors):
            if fields[:2] != ("01", "02"):  # neutral is never strong
                ids.add(f"ravdess/03-{channel}-" + "-".join(fields))
    return frozenset(ids)


RAVDESS = Corpus(
    name="ravdess",
    title="RAVDESS, speech and song as found (1440 + 1012 clips, 24 actors)",
    licence="CC BY-NC-SA 4.0",
    citation="Livingstone & Russo (2018), PLoS ONE 13(5): e0196391, doi:10.1371/journal.pone.0196391",
    languages=("English",),
    labels=LABELS,
    address="https://zenodo.org/records/1188976",
    example="Actor_12/03-01-05-01-02-01-12.wav",
    find=find,
    official=official,
)
SPEECH = replace(RAVDESS, name="ravdess-speech", title="RAVDESS, speech only (1440 clips, 24 actors)", kind="speech")
SONG = replace(
    RAVDESS,
    name="ravdess-song",
    title="RAVDESS, song only (1012 clips, 23 actors)",
    labels=SONG_LABELS,
    example="Actor_12/03-02-05-01-02-01-12.wav",
    kind="song",
)
