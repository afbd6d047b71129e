"""Splits of several corpora together: one corpus left out of training, and nearly everybody in it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from emogram.corpora.clip import Clip
from emogram.errors import SplitError
from emogram.splits.draw import balance
from emogram.splits.schemes import Fractions, speakers_of
from emogram.splits.split import Split, by_clip_id

_ENOUGH = 3
"""Speakers that a corpus has at least, if one of them is to validate."""

_MANY = 8
"""Speakers of a corpus from which on two pairs of them are spared from training."""


def corpora_of(clips: Iterable[Clip]) -> list[str]:
    """The distinct corpora, sorted."""
    return sorted({clip.corpus for clip in clips})


def leave_corpus_out(clips: Sequence[Clip], *, fold: int, seed: int, fractions: Fractions) -> Split:
    """Fold `fold` tests the corpus of that place in alphabetical order, and trains on all others.

    Only speech is tested and validated on, and only emotions that the training part has. Validation has
    ``fractions[1]`` of the speakers of every other corpus, rounded up, but of none with fewer than 3 speakers: one of two
    would be half of the corpus. Song by a speaker who validates is left out, like clips by a tested speaker.

    Raises:
        SplitError: fewer than two corpora, clips without a speaker, or one speaker in all other corpora.
    """
    speakers_of(clips, "leave-corpus-out")
    corpora = corpora_of(clips)
    if len(corpora) < 2:
        raise SplitError(
            f"split 'leave-corpus-out' needs 2 corpora or more and these clips are of {corpora[0]}; add another corpus"
        )
    tested = [clip for clip in clips if clip.corpus == corpora[fold - 1]]
    others = [clip for clip in clips if clip.corpus != corpora[fold - 1]]
    validating = _validating(others, fractions[1], f"leave-corpus-out {corpora[fold - 1]} {seed}")
    return _parts("leave-corpus-out", clips, test={clip.speaker for clip in tested}, validation=validating)


def release(clips: Sequence[Clip], *, seed: int) -> Split:
    """Nearly everybody trains: for weights that are to be used, whose scores come from another split.

    Of the corpus with most speakers four are spared, two to validate and two to be tested, women and men alike as far as
    there are both; of fewer than 8 speakers one each. Only speech by them is heard, the rest of theirs is left out.

    Raises:
        SplitError: clips without a speaker, or no corpus with 3 speakers.
    """
    speakers_of(clips, "release")
    speakers: defaultdict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.kind == "speech":
            speakers[clip.corpus].add(clip.speaker)
    largest = max(sorted(speakers), key=lambda corpus: len(speakers[corpus]), default="")
    count = len(speakers[largest]) if largest else 0
    if count < _ENOUGH:
        raise SplitError(
            f"split 'release' needs a corpus with speech by {_ENOUGH} speakers or more and the largest has {count}; use 'stratified'"
        )
    spared = 2 if count >= _MANY else 1
    sizes = (count - 2 * spared, spared, spared)
    own = [clip for clip in clips if clip.corpus == largest and clip.kind == "speech"]
    _, validation, test = balance(own, [size / count for size in sizes], f"release {seed}", sizes=sizes)
    return _parts("release", clips, test=set(test), validation=set(validation))


def _validating(clips: Sequence[Clip], share: float, key: str) -> set[str]:
    """Speakers of every corpus that has enough; of all corpora together where none has."""
    chosen: set[str] = set()
    for corpus in corpora_of(clips):
        own = [clip for clip in clips if clip.corpus == corpus]
        if len({clip.speaker for clip in own}) >= _ENOUGH:
            chosen |= _drawn(own, share, f"{key} {corpus}")
    return chosen or _drawn(clips, share, key)


def _drawn(clips: Sequence[Clip], share: float, key: str) -> set[str]:
    count = len({clip.speaker for clip in clips})
    if count < 2:
        raise SplitError(
            "split 'leave-corpus-out': the corpora to train on have one speaker, so that nobody can validate; add a corpus"
        )
    held = min(count - 1, max(math.ceil(share * count - 1e-9), 2 if count >= _MANY else 1))
    sizes = (count - held, held)
    return set(balance(clips, [size / count for size in sizes], key, sizes=sizes)[1])


def _parts(name: str, clips: Sequence[Clip], *, test: set[str], validation: set[str]) -> Split:
    """Speech by the speakers given, in emotions that the others have, tests and validates; all else by them is left out."""
    held = test | validation
    train = [clip for clip in clips if clip.speaker not in held]
    taught = {clip.emotion for clip in train}
    fit = [clip for clip in clips if clip.speaker in held and clip.kind == "speech" and clip.emotion in taught]
    used = {clip.clip_id for clip in [*train, *fit]}
    left_out = [clip for clip in clips if clip.clip_id not in used]
    unknown = sorted({clip.emotion for clip in left_out} - taught)
    notes = [f"no clip of training is {' or '.join(unknown)}, which is not tested"] if unknown else []
    if left_out:
        notes.append(f"{len(left_out)} clips by speakers of the test or validation part are left out")
    return Split(
        name=name,
        train=by_clip_id(train),
        validation=by_clip_id([clip for clip in fit if clip.speaker in validation - test]),
        test=by_clip_id([clip for clip in fit if clip.speaker in test]),
        speaker_disjoint=True,
        left_out=by_clip_id(left_out),
        notes=tuple(notes),
    )
