"""Published folds, so that a result can stand beside the literature.

Each file in ``emogram/protocols`` names its source. None but `cremad-evar` publishes a validation part: it is taken from
the speakers that are not tested, or, where the folds are made of clips, stratified from the clips that are not tested.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from emogram.corpora.clip import Clip
from emogram.errors import SplitError
from emogram.splits.draw import stratify
from emogram.splits.schemes import Fractions, from_speakers, hold_out
from emogram.splits.split import Split, by_clip_id

PROTOCOLS: tuple[str, ...] = (
    "ravdess-emobox",
    "ravdess-luna",
    "savee-loso",
    "cremad-evar",
    "emobox-tess",
    "emobox-emodb",
    "emobox-cremad",
)


@dataclass(frozen=True)
class Protocol:
    """A published evaluation protocol.

    Attributes:
        name: one of `PROTOCOLS`.
        corpus: the corpus that it tests.
        unit: what its folds are made of, ``speaker`` or ``clip``.
        clips: how many clips of the corpus it covers.
        source: paper and repository.
        tests: for each fold the speakers or clips tested, as published.
        validation: for each fold the speakers of validation where they are published, else empty.
        left_out: stems of clips that the protocol does not use.
    """

    name: str
    corpus: str
    unit: str
    clips: int
    source: str
    tests: tuple[tuple[str, ...], ...]
    validation: tuple[tuple[str, ...], ...]
    left_out: frozenset[str]


@cache
def protocol(name: str) -> Protocol:
    """The published protocol of that name, one of `PROTOCOLS`."""
    text = (resources.files("emogram") / "protocols" / f"{name}.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    return Protocol(
        name=stored["name"],
        corpus=stored["corpus"],
        unit=stored["unit"],
        clips=stored["clips"],
        source=stored["source"],
        tests=tuple(tuple(fold["test"]) for fold in stored["folds"]),
        validation=tuple(tuple(fold.get("validation", ())) for fold in stored["folds"]),
        left_out=frozenset(map(_plain, stored.get("left_out", ()))),
    )


def by_protocol(clips: Sequence[Clip], name: str, *, fold: int, seed: int, fractions: Fractions) -> Split:
    """Fold `fold` of a published protocol, counted from 1 in the published order.

    Only speech of the protocol's corpus is tested or validated on. Song by a speaker who trains, and clips of other
    corpora, train; song by a speaker who is tested or validated on is left out.

    Raises:
        SplitError: clips of the corpus, or speakers or clips that the fold tests, are missing.
    """
    published = protocol(name)
    own, extra, omitted = _sorted_out(clips, published)
    if not own:
        raise SplitError(
            f"split '{name}' needs speech of the corpus '{published.corpus}' and none is among the clips given; "
            "add that corpus, or choose a split of any clips, for example speaker or kfold"
        )
    if published.unit == "speaker":
        split = _speaker_fold(own, published, fold, f"{name} {fold} {seed}", fractions)
    else:
        split = _clip_fold(own, published, fold, f"{name} {fold} {seed}", fractions)
    return _with_extra(split, published, own, extra, omitted)


def _sorted_out(clips: Sequence[Clip], published: Protocol) -> tuple[list[Clip], list[Clip], list[Clip]]:
    """The protocol's own clips, others that may train, and clips that the protocol omits."""
    own: list[Clip] = []
    extra: list[Clip] = []
    omitted: list[Clip] = []
    for clip in clips:
        if clip.corpus != published.corpus or clip.kind != "speech":
            extra.append(clip)
        elif _plain(_stem(clip)) in published.left_out:
            omitted.append(clip)
        else:
            own.append(clip)
    return own, extra, omitted


def _speaker_fold(own: Sequence[Clip], published: Protocol, fold: int, key: str, fractions: Fractions) -> Split:
    speaker_of = {_plain(clip.speaker.removeprefix(f"{published.corpus}-")): clip.speaker for clip in own}
    everyone = {speaker for fold in published.tests + published.validation for speaker in fold}
    missing = sorted(speaker for speaker in everyone if _plain(speaker) not in speaker_of)
    if missing:
        raise SplitError(
            f"split '{published.name}': speakers {', '.join(missing)} of {published.corpus} are missing; complete the "
            "corpus, or use 'speaker' or 'kfold'"
        )
    tested = [speaker_of[_plain(speaker)] for speaker in published.tests[fold - 1]]
    chosen = [speaker_of[_plain(speaker)] for speaker in published.validation[fold - 1]]
    if chosen:
        return from_speakers(published.name, own, test=tested, validation=chosen)
    return hold_out(published.name, own, tested, key=key, fractions=fractions)


def _clip_fold(own: Sequence[Clip], published: Protocol, fold: int, key: str, fractions: Fractions) -> Split:
    wanted = {_plain(stem): stem for stem in published.tests[fold - 1]}
    tested = [clip for clip in own if _plain(_stem(clip)) in wanted]
    missing = sorted(wanted.keys() - {_plain(_stem(clip)) for clip in tested})
    if missing:
        raise SplitError(
            f"split '{published.name}': {len(missing)} of {len(wanted)} test clips of {published.corpus} are missing "
            f"(first: {wanted[missing[0]]}); complete the corpus, or use 'stratified'"
        )
    rest = [clip for clip in own if _plain(_stem(clip)) not in wanted]
    train, validation = stratify(rest, (1 - fractions[1], fractions[1]), key)
    return Split(
        name=published.name,
        train=by_clip_id(train),
        validation=by_clip_id(validation),
        test=by_clip_id(tested),
        speaker_disjoint=False,
        notes=("this published protocol tests speakers who are also in training: report it as speaker-dependent",),
    )


def _with_extra(split: Split, published: Protocol, own: list[Clip], extra: list[Clip], omitted: list[Clip]) -> Split:
    """Add song and other corpora to training, except what is by a speaker who is tested or validated on."""
    held = {clip.speaker for clip in split.test + split.validation if clip.speaker}
    allowed = [clip for clip in extra if clip.speaker not in held]
    barred = [clip for clip in extra if clip.speaker in held]
    notes = list(split.notes)
    if len(own) != published.clips:
        notes.append(
            f"{len(own)} clips where the protocol has {published.clips}: not comparable with published results"
        )
    if allowed:
        notes.append(f"{len(allowed)} clips beyond the protocol (song or other corpora) are added to training")
    if barred:
        notes.append(f"{len(barred)} clips by speakers of the test or validation part are left out")
    if omitted:
        notes.append(f"{len(omitted)} clips that the protocol does not use are left out")
    return replace(
        split,
        train=by_clip_id([*split.train, *allowed]),
        left_out=by_clip_id([*barred, *omitted]),
        notes=tuple(notes),
    )


def _stem(clip: Clip) -> str:
    return clip.clip_id.rpartition("/")[2]


def _plain(name: str) -> str:
    """Letters and digits only, in lower case: ``OAF-bar-fear`` and ``OAF_bar_fear`` are one clip."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
