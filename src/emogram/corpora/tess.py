"""TESS, the Toronto Emotional Speech Set: two women, 200 words in one carrier phrase, 7 emotions, 2800 clips.

Names are speaker, word, emotion: ``OAF_back_angry.wav``; ``ps`` is pleasant surprise. Known quirks: one clip is misnamed
(``OA_bite_neutral``, speaker OAF) and keeps that stem in its ``clip_id``, also in copies that put it right; folder
names are spelt in several ways (``OAF_Fear``, ``YAF_fear``, ``OAF_Pleasant_surprise``), so only file names count; one
clip has 96 kHz instead of 24.4 kHz, two are AIFF data in a ``.wav``; bundles hold the whole set twice.
"""

import re
from collections.abc import Collection
from itertools import product
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name

LABELS = {
    "neutral": "neutral",
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fear": "fearful",
    "disgust": "disgust",
    "ps": "surprised",
}
_AGES = {"OAF": "64", "YAF": "26"}
_STEM = re.compile(r"(OAF?|YAF)_([a-z]+)_(neutral|happy|sad|angry|fear|disgust|ps)", re.ASCII)
_MISNAMED = ("OAF_bite_neutral", "OA_bite_neutral")

_WORDS = """
back bar base bath bean beg bite boat bone book bought burn cab calm came cause chain chair chalk chat check cheek
chief choice cool dab date dead death deep dime dip ditch dodge dog doll door fail fall far fat fit five food gap gas
gaze germ get gin goal good goose gun half hall hash hate have haze hire hit hole home hurl hush jail jar join judge
jug juice keen keep keg kick kill king kite knock late laud lean learn lease lid life limb live loaf long lore lose
lot love luck make match merge mess met mill mob mode mood moon mop mouse nag name near neat nice note numb pad page
pain pass pearl peg perch phone pick pike pole pool puff rag raid rain raise rat reach read red ring ripe road room
rose rot rough rush said sail search seize sell shack shall shawl sheep shirt should shout size soap soup sour south
sub such sure take talk tape team tell thin third thought thumb time tip tire ton tool tough turn vine voice void vote
wag walk wash week wheat when which whip white wife wire witch yearn yes young youth
"""


def read(path: Path) -> Clip | None:
    """The clip that a file's name says it is, or None where the name is no name of TESS."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    initials, word, label = match.groups()
    speaker = "YAF" if initials == "YAF" else "OAF"
    stem = _MISNAMED[1] if path.stem in _MISNAMED else f"{speaker}_{word}_{label}"
    return Clip(
        clip_id=f"tess/{stem}",
        path=str(path),
        corpus="tess",
        speaker=f"tess-{speaker}",
        sex="female",
        emotion=LABELS[label],
        raw_label=label,
        text=word,
        age=_AGES[speaker],
    )


def find(root: Path) -> list[Clip]:
    """All TESS clips under a folder."""
    return clips_by_name(root, read)


def official(kinds: Collection[str]) -> frozenset[str]:
    """The official ``clip_id``; TESS is speech only."""
    del kinds
    stems = {"_".join(fields) for fields in product(_AGES, _WORDS.split(), LABELS)}
    stems.remove(_MISNAMED[0])
    stems.add(_MISNAMED[1])
    return frozenset(f"tess/{stem}" for stem in stems)


TESS = Corpus(
    name="tess",
    title="TESS, Toronto Emotional Speech Set (2800 clips, 2 women)",
    licence="CC BY-NC-ND 4.0",
    citation="Pichora-Fuller & Dupuis (2020), Toronto emotional speech set, Borealis, doi:10.5683/SP2/E8H2MF",
    languages=("English",),
    labels=LABELS,
    address="https://doi.org/10.5683/SP2/E8H2MF",
    example="OAF_angry/OAF_back_angry.wav",
    find=find,
    official=official,
)
