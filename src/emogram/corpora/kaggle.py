"""The four-corpora bundle on Kaggle: RAVDESS speech, CREMA-D, TESS and SAVEE in one folder.

``Ravdess/audio_speech_actors_01-24/Actor_01/…``, ``Crema/…``, ``Tess/OAF_angry/…``, ``Savee/DC_a01.wav``: 12 162 clips.
File names tell the corpora apart, and every row carries its true corpus. A folder that repeats another inside itself, as
in the Kaggle copies of RAVDESS and TESS, counts once.
"""

from collections.abc import Collection
from pathlib import Path

from emogram.corpora import cremad, ravdess, savee, tess
from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name

_READERS = (ravdess.read, cremad.read, tess.read, savee.read)
_MEMBERS = (ravdess.SPEECH, cremad.CREMAD, tess.TESS, savee.SAVEE)


def read(path: Path) -> Clip | None:
    """The clip of any of the four corpora that a file's name says it is, or None."""
    return next((clip for reader in _READERS if (clip := reader(path)) is not None), None)


def find(root: Path) -> list[Clip]:
    """All clips of the four corpora under a folder."""
    return clips_by_name(root, read)


def official(kinds: Collection[str]) -> frozenset[str]:
    """The official ``clip_id`` of the four corpora; the bundle holds speech only."""
    del kinds
    return frozenset().union(*(corpus.official(("speech",)) for corpus in _MEMBERS))


KAGGLE = Corpus(
    name="kaggle",
    title="Kaggle bundle of RAVDESS speech, CREMA-D, TESS and SAVEE (12162 clips, 121 speakers)",
    licence="those of the four corpora",
    citation="the four corpora, each by its own paper",
    languages=("English",),
    labels={label: emotion for corpus in _MEMBERS for label, emotion in corpus.labels.items()},
    address="https://www.kaggle.com/datasets/dmitrybabko/speech-emotion-recognition-en",
    example="Crema/1001_DFA_ANG_XX.wav",
    find=find,
    official=official,
)
