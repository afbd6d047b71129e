"""CREMA-D: 91 actors, 12 sentences, 6 emotions, 7442 clips.

Names are actor, sentence, emotion, level: ``1001_IEO_ANG_HI.wav``. Only sentence IEO comes at three levels. Known quirks:
one clip is misnamed (``1040_ITH_SAD_X``) and keeps that stem in its ``clip_id``; twenty clips of the full grid were never
released; three pairs with *different* labels are byte-identical (1006_TIE_HAP/NEU, 1013_WSI_DIS/SAD, 1017_IWW_ANG/FEA);
``1076_MTI_SAD_XX`` is silent; a clone without Git LFS holds pointers instead of audio.
"""

import csv
import re
from collections.abc import Collection, Mapping
from functools import partial
from itertools import product
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name
from emogram.errors import CorpusError

LABELS = {
    "NEU": "neutral",
    "HAP": "happy",
    "SAD": "sad",
    "ANG": "angry",
    "FEA": "fearful",
    "DIS": "disgust",
}
DEMOGRAPHICS = "VideoDemographics.csv"

_SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
_STEM = re.compile(
    rf"(10\d\d)_({'|'.join(_SENTENCES)})_({'|'.join(LABELS)})_(LO|MD|HI|XX|X)",
    re.ASCII,
)
_ACTORS = tuple(str(actor) for actor in range(1001, 1092))
_MISNAMED = ("1040_ITH_SAD_XX", "1040_ITH_SAD_X")
_NEVER_RELEASED = frozenset(
    f"{actor}_{sentence}_{label}_XX"
    for actor, sentence, labels in (
        ("1002", "TIE", ("NEU",)),
        ("1008", "WSI", LABELS),
        ("1009", "MTI", LABELS),
        ("1019", "ITH", LABELS),
        ("1076", "ITS", ("NEU",)),
    )
    for label in labels
)
_SEXES = {"male": "male", "female": "female"}


def read(path: Path, *, demographics: Mapping[str, tuple[str, str]] | None = None) -> Clip | None:
    """The clip that a file's name says it is, or None where the name is no name of CREMA-D.

    Args:
        path: the audio file.
        demographics: sex and age in years of each actor.
    """
    match = _STEM.fullmatch(path.stem)
    if match is None or match[1] not in _ACTORS:
        return None
    actor, sentence, label, level = match.groups()
    if level == "X" or path.stem in _MISNAMED:
        level = "XX"
    stem = f"{actor}_{sentence}_{label}_{level}"
    sex, age = (demographics or {}).get(actor, ("", ""))
    return Clip(
        clip_id=f"cremad/{_MISNAMED[1] if stem == _MISNAMED[0] else stem}",
        path=str(path),
        corpus="cremad",
        speaker=f"cremad-{actor}",
        sex=sex,
        emotion=LABELS[label],
        raw_label=label,
        intensity=level,
        text=sentence,
        age=age,
    )


def find(root: Path) -> list[Clip]:
    """All CREMA-D clips under a folder, with sexes and ages where `DEMOGRAPHICS` lies in it, below or beside it."""
    return clips_by_name(root, partial(read, demographics=_demographics(root)))


def official(kinds: Collection[str]) -> frozenset[str]:
    """The official ``clip_id``; CREMA-D is speech only."""
    del kinds
    stems = {
        f"{actor}_{sentence}_{label}_{level}"
        for actor, sentence, label in product(_ACTORS, _SENTENCES, LABELS)
        for level in (("LO", "MD", "HI") if sentence == "IEO" and label != "NEU" else ("XX",))
    }
    stems -= _NEVER_RELEASED | {_MISNAMED[0]}
    stems.add(_MISNAMED[1])
    return frozenset(f"cremad/{stem}" for stem in stems)


def _demographics(root: Path) -> dict[str, tuple[str, str]]:
    root = root.absolute()
    tables = [root / DEMOGRAPHICS, root.parent / DEMOGRAPHICS, *sorted(root.glob(f"*/{DEMOGRAPHICS}"))]
    table = next((table for table in tables if table.is_file()), None)
    if table is None:
        return {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        return {
            row["ActorID"].strip(): (_SEXES.get(row["Sex"].strip().lower(), ""), row["Age"].strip()) for row in rows
        }
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, AttributeError) as error:
        problem = "cannot be read as columns ActorID, Age, Sex"
        raise CorpusError(f"{table}: {problem} ({error}); fetch it again, or remove it") from error


CREMAD = Corpus(
    name="cremad",
    title="CREMA-D, Crowd-sourced Emotional Multimodal Actors Dataset (7442 clips, 91 actors)",
    licence="ODbL 1.0",
    citation="Cao et al. (2014), CREMA-D, IEEE Transactions on Affective Computing 5(4), doi:10.1109/TAFFC.2014.2336244",
    languages=("English",),
    labels=LABELS,
    address="https://github.com/CheyneyComputerScience/CREMA-D",
    example="AudioWAV/1001_IEO_ANG_HI.wav",
    find=find,
    official=official,
)
