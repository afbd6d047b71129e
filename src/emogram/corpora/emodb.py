"""EmoDB, the Berlin Database of Emotional Speech: 10 speakers, 10 German sentences, 7 emotions, 535 clips.

Names are speaker, sentence code, emotion (the German initial) and version: ``03a01Wa.wav`` is speaker 03, sentence a01,
*Wut*, version a. The release holds what listeners recognised, so it is no full grid: its names are listed here. Version
2.0 adds what they did not, and laryngograms under the same names in a folder of their own, which are passed over.
"""

import re
from collections.abc import Collection
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name

LABELS = {
    "N": "neutral",
    "F": "happy",
    "T": "sad",
    "W": "angry",
    "A": "fearful",
    "E": "disgust",
    "L": "boredom",
}
_SPEAKERS = {
    "03": ("male", "31"),
    "08": ("female", "34"),
    "09": ("female", "21"),
    "10": ("male", "32"),
    "11": ("male", "26"),
    "12": ("male", "30"),
    "13": ("female", "32"),
    "14": ("female", "35"),
    "15": ("male", "25"),
    "16": ("female", "31"),
}
_STEM = re.compile(r"(\d\d)([ab]\d\d)([NFTWAEL])([a-z])", re.ASCII)

# A speaker, then each sentence followed by the pairs of emotion and version that were released.
_RECORDED = """
03 a01FaNcWa a02FcNcTaWbWc a04AdFdLcNcTaWc a05AaFcNdTcWaWb a07FaFbLaNcWc b01FaLbNbTdWaWc b02AaLaNaTbWb b03NbTcWc
b09LaNcTcWa b10AbEcNaNcWbWc
08 a01AbFdLcNaWaWc a02AbAcFeLaNaTbWc a04FfLaNcTbWc a05FeLcNbTaWa a07FdLaNaTaTbWc b01AaFdFeLbNaWa b02FfLaNbTcWd
b03FeLcNbTcWd b09AbFdLcNbTbWaWc b10AaFdLaNcTcWa
09 a01EaFaNbWb a02EaEbLaWb a04FdLaNbWa a05EdLcNbTbWbWc a07EbNaTaWbWd b01EaNaWb b02NaTbWcWd b03EdFaFdLbNbTaWb b09EaNdWa
b10AaNdWa
10 a01AcNbWa a02AbFaLbNaWa a04FdNbWaWb a05AaLdTbWb a07AaAdLaTaWb b01AaEaFaLb b02AaLaNaWb b03LaTbWb b09AdLbWb b10FcLcWa
11 a01AaAbLdNdWc a02EcFbLdNcTcWc a04AcFdNdWc a05AdFbFcLcNaTdWd a07AcLdTaWc b01AbEbFcLbNcWd b02AbFdNaTdWb
b03FcLcNbTdWaWb b09AdFdLdNaTdWa b10AdAeLdNcTdWa
12 a01FbLbNbWc a02AcEcNbWaWc a04Wc a05AbLbNdTaWb a07AcLaWa b01TaWa b02AdEaFbNaWaWbWd b03LaTa b09AcTdWc b10AcLdWa
13 a01AcEaEcFdLbNbWb a02AdEcFaLcNcTaWa a04AcFcLbTaWc a05AaEaLcNbTcWaWc a07FdLbNaTcWb b01AbEcFcLdNcWa b02FbLcNbWa
b03AcEdFdLbNaTdWc b09AbEcFbFcLaNaWa b10EcFaLaNcWaWc
14 a01AaAcEaNaWaWc a02AbEaFdLaNcTbWaWc a04AaEdLbTbTcWbWc a05AaAcFaFbLbNaTaTcWaWb a07AaEbFdLcLdNaTcWc b01AcEbFaFcNaWc
b02AaFbNaTcWbWd b03AdEdLbTaWb b09AcEaFcLbTdWaWc b10AdEbLbNbTcWc
15 a01EaFbLaNbWa a02AcEaLaNaTaWbWd a04AbAcFdNcWaWb a05EbFbLbNaWa a07AcEbFaFbLdNc b01EcLbNaWc b02AaLbNdTcWaWc
b03AaLcNbTcWaWb b09AcFaLaNbTaWb b10AcLcNbNcWa
16 a01EcFcLbNcTbWb a02EaEcLbNbTcWb a04AbEaFaLaLcNcTcWbWc a05AbEaFcLaTbWbWc a07EaFaFbLaLbNbTdWa b01AaEbFaLaLcTbWaWb
b02AaEbFdLbWb b03AdEaFaFdLaNbTaWb b09AbEbFbLaLbWb b10AaEbFbLbTbTdWaWb
"""


def read(path: Path) -> Clip | None:
    """The clip that a file's name says it is, or None where the name is no name of EmoDB."""
    match = _STEM.fullmatch(path.stem)
    if match is None or match[1] not in _SPEAKERS or "laryng" in path.parent.name.lower():
        return None
    speaker, sentence, label, version = match.groups()
    sex, age = _SPEAKERS[speaker]
    return Clip(
        clip_id=f"emodb/{path.stem}",
        path=str(path),
        corpus="emodb",
        speaker=f"emodb-{speaker}",
        sex=sex,
        emotion=LABELS[label],
        raw_label=label,
        text=sentence,
        take=version,
        age=age,
    )


def find(root: Path) -> list[Clip]:
    """All EmoDB clips under a folder."""
    return clips_by_name(root, read)


def official(kinds: Collection[str]) -> frozenset[str]:
    """The official ``clip_id``; EmoDB is speech only."""
    del kinds
    ids: set[str] = set()
    speaker = ""
    for word in _RECORDED.split():
        if word in _SPEAKERS:
            speaker = word
            continue
        sentence, versions = word[:3], word[3:]
        ids.update(f"emodb/{speaker}{sentence}{versions[i : i + 2]}" for i in range(0, len(versions), 2))
    return frozenset(ids)


EMODB = Corpus(
    name="emodb",
    title="EmoDB, Berlin Database of Emotional Speech (535 clips, 10 speakers)",
    licence="CC0-1.0 (archive), CC BY 4.0 (Zenodo record)",
    citation="Burkhardt et al. (2005), A Database of German Emotional Speech, Interspeech, doi:10.5281/zenodo.7447302",
    languages=("German",),
    labels=LABELS,
    address="https://zenodo.org/records/7447302",
    example="wav/03a01Wa.wav",
    find=find,
    official=official,
)
