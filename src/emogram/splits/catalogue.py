"""Every split by name."""

import math
from collections import Counter
from collections.abc import Sequence

from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, SplitError, did_you_mean
from emogram.splits.published import PROTOCOLS, by_protocol, protocol
from emogram.splits.schemes import Fractions, by_speaker, kfold, leave_one_speaker_out, speakers_of, stratified
from emogram.splits.several import corpora_of, leave_corpus_out, release
from emogram.splits.split import Split

NAMES: tuple[str, ...] = ("stratified", "speaker", "kfold", "loso", "leave-corpus-out", "release", *PROTOCOLS)
"""The splits that `make` knows: drawn ones, then published protocols."""


def n_folds(clips: Sequence[Clip], name: str, *, folds: int = 5) -> int:
    """How many folds a split has: 1 for ``stratified``, ``speaker`` and ``release``, `folds` for ``kfold``.

    Raises:
        ConfigurationError: no such split.
        SplitError: ``loso`` with clips that have no speaker.
    """
    _known(name)
    if name in PROTOCOLS:
        return len(protocol(name).tests)
    if name == "loso":
        return len(speakers_of(clips, name))
    if name == "leave-corpus-out":
        return len(corpora_of(clips))
    return folds if name == "kfold" else 1


def make(
    clips: Sequence[Clip],
    name: str,
    *,
    fold: int = 1,
    folds: int = 5,
    seed: int = 0,
    fractions: Fractions = (0.7, 0.1, 0.2),
) -> Split:
    """Split clips into training, validation and test.

    The result depends on the clips and arguments alone: not on the order of the clips, the machine or the Python.

    Args:
        clips: with distinct ``clip_id``.
        name: one of `NAMES`.
        fold: from 1 to `n_folds`.
        folds: number of folds of ``kfold``; the others ignore it.
        seed: of the draw. A published test part does not depend on it, its validation part does.
        fractions: training, validation, test. Where folds decide the test part, only the second is used.

    Raises:
        ConfigurationError: a name, fold or fraction that cannot be.
        SplitError: a split that these clips do not allow; says why and what to use instead.
    """
    _known(name)
    if len(fractions) != 3 or min(fractions) <= 0 or not math.isclose(math.fsum(fractions), 1, abs_tol=1e-6):
        raise ConfigurationError(f"fractions {fractions}: give three numbers above 0 that add up to 1, as 0.7 0.1 0.2")
    _distinct(clips)
    last = n_folds(clips, name, folds=folds)
    if not 1 <= fold <= max(1, last):
        raise ConfigurationError(f"fold {fold}: split '{name}' has folds 1 to {last}")
    clips = sorted(clips, key=lambda clip: clip.clip_id)
    if name == "stratified":
        split = stratified(clips, seed=seed, fractions=fractions)
    elif name == "speaker":
        split = by_speaker(clips, seed=seed, fractions=fractions)
    elif name == "kfold":
        split = kfold(clips, fold=fold, folds=folds, seed=seed, fractions=fractions)
    elif name == "loso":
        split = leave_one_speaker_out(clips, fold=fold, seed=seed, fractions=fractions)
    elif name == "leave-corpus-out":
        split = leave_corpus_out(clips, fold=fold, seed=seed, fractions=fractions)
    elif name == "release":
        split = release(clips, seed=seed)
    else:
        split = by_protocol(clips, name, fold=fold, seed=seed, fractions=fractions)
    empty = [part for part, chosen in split.parts().items() if not chosen]
    if empty:
        raise SplitError(
            f"split '{name}': {len(clips)} clips are too few, {' and '.join(empty)} would be empty; add clips"
        )
    return split


def _known(name: str) -> None:
    if name not in NAMES:
        raise ConfigurationError(
            f"split '{name}': no such split{did_you_mean(name, NAMES) or ';'} choose from {', '.join(NAMES)}"
        )


def _distinct(clips: Sequence[Clip]) -> None:
    repeated = [clip_id for clip_id, count in Counter(clip.clip_id for clip in clips).items() if count > 1]
    if repeated:
        raise SplitError(f"clip {min(repeated)} is listed twice; remove one row from the manifest")
