"""All corpora by name."""

import difflib

from emogram.corpora import cremad, emodb, folder, kaggle, ravdess, savee, synthetic, table, tess
from emogram.corpora.corpus import Corpus
from emogram.errors import ConfigurationError

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        ravdess.RAVDESS,
        ravdess.SPEECH,
        ravdess.SONG,
        tess.TESS,
        cremad.CREMAD,
        savee.SAVEE,
        emodb.EMODB,
        kaggle.KAGGLE,
        folder.FOLDER,
        table.CSV,
        synthetic.SYNTHETIC,
    )
}
"""Every corpus by the name that the user types."""


def get(name: str) -> Corpus:
    """The corpus of that name.

    Raises:
        ConfigurationError: there is none; suggests the nearest name.
    """
    corpus = CORPORA.get(name)
    if corpus is None:
        near = difflib.get_close_matches(name.lower(), CORPORA, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigurationError(f"corpus: {name!r} is not known; {hint}choose from {', '.join(CORPORA)}")
    return corpus
