"""All corpora by name."""

from emogram.corpora import cremad, emodb, folder, kaggle, ravdess, savee, synthetic, table, tess
from emogram.corpora.corpus import Corpus
from emogram.errors import ConfigurationError, did_you_mean

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
        raise ConfigurationError(
            f"corpus: {name!r} is not known{did_you_mean(name, CORPORA) or ';'} choose from {', '.join(CORPORA)}"
        )
    return corpus
