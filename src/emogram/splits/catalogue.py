"""Every split by name."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, SplitError, did_you_mean
from emogram.splits.published import PROTOCOLS, by_protocol, protocol
from emogram.splits.schemes import Fractions, by_speaker, kfold, leave_one_speaker_out, speakers_of, stratified
from emogram.splits.several import corpora_of, leave_corpus_out, release
from emogram.splits.split import Split


@dataclass(frozen=True)
class _Draw:
    """Which of the splits of one name; see `make`."""

    fold: int
    folds: int
    seed: int
    fractions: Fractions


_SCHEMES: Mapping[str, Callable[[Sequence[Clip], _Draw], Split]] = {
    "stratified": lambda clips, draw: stratified(clips, seed=draw.seed, fractions=draw.fractions),
    "speaker": lambda clips, draw: by_speaker(clips, seed=draw.seed, fractions=draw.fractions),
    "kfold": lambda clips, draw: kfold(
        clips, fold=draw.fold, folds=draw.folds, seed=draw.seed, fractions=draw.fractions
    ),
    "loso": lambda clips, draw: leave_one_speaker_out(clips, fold=draw.fold, seed=draw.seed, fractions=draw.fractions),
    "leave-corpus-out": lambda clips, draw: leave_corpus_out(
        clips, fold=draw.fold, seed=draw.seed, fractions=draw.fractions
    ),
    "release": lambda clips, draw: release(clips, seed=draw.seed),
}
"""The drawn splits, by name."""

NAMES: tuple[str, ...] = (*_SCHEMES, *PROTOCOLS)
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
        raise ConfigurationError(no_such_fold(name, fold, last))
    clips = sorted(clips, key=lambda clip: clip.clip_id)
    if name in PROTOCOLS:
        split = by_protocol(clips, name, fold=fold, seed=seed, fractions=fractions)
    else:
        split = _SCHEMES[name](clips, _Draw(fold, folds, seed, fractions))
    empty = [part for part, chosen in split.parts().items() if not chosen]
    if empty:
        raise SplitError(
            f"split '{name}': {len(clips)} clips are too few, {' and '.join(empty)} would be empty; add clips"
        )
    return split


def no_such_fold(name: str, fold: int, last: int) -> str:
    """What is said of a fold that a split does not have, where it has `last` folds."""
    if last > 1:
        return f"there is no fold {fold}; split '{name}' has folds 1 to {last}, choose one of these"
    return (
        f"there is no fold {fold}; split '{name}' has but one, choose fold 1, or a split of several folds, "
        "for example split.name=kfold"
    )


def _known(name: str) -> None:
    if name not in NAMES:
        raise ConfigurationError(
            f"split '{name}': no such split{did_you_mean(name, NAMES) or ';'} choose from {', '.join(NAMES)}"
        )


def _distinct(clips: Sequence[Clip]) -> None:
    repeated = [clip_id for clip_id, count in Counter(clip.clip_id for clip in clips).items() if count > 1]
    if repeated:
        raise SplitError(f"clip {min(repeated)} is listed twice; remove one row from the manifest")
