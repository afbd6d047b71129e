"""Splits drawn from the clips themselves: stratified, by speaker, k-fold by speaker, leave one speaker out."""

import math
from collections.abc import Sequence

from emogram.corpora.clip import Clip
from emogram.errors import SplitError
from emogram.splits.draw import balance, stratify
from emogram.splits.split import Split, by_clip_id

Fractions = tuple[float, float, float]


def stratified(clips: Sequence[Clip], *, seed: int, fractions: Fractions) -> Split:
    """A random split in which every emotion has its share; speakers are in all parts, so that scores are inflated."""
    train, validation, test = stratify(clips, fractions, f"stratified {seed}")
    return Split(
        name="stratified",
        train=by_clip_id(train),
        validation=by_clip_id(validation),
        test=by_clip_id(test),
        speaker_disjoint=False,
        notes=("speakers of the test part are in training: the score says nothing about unknown speakers",),
    )


def by_speaker(clips: Sequence[Clip], *, seed: int, fractions: Fractions) -> Split:
    """No speaker in two parts; parts balanced in clips, emotions and sexes as far as speakers allow."""
    speakers = speakers_of(clips, "speaker")
    if len(speakers) < 3:
        raise SplitError(
            f"split 'speaker' needs 3 speakers or more and these clips have {_listed(speakers)}; use 'loso' (test on one "
            "speaker, train on the rest), add another corpus, or 'stratified' and report it as speaker-dependent"
        )
    _, validation, test = balance(clips, fractions, f"speaker {seed}")
    return from_speakers("speaker", clips, test=test, validation=validation)


def kfold(clips: Sequence[Clip], *, fold: int, folds: int, seed: int, fractions: Fractions) -> Split:
    """Fold `fold` of `folds`: every speaker is tested in exactly one fold."""
    speakers = speakers_of(clips, "kfold")
    if not 2 <= folds <= len(speakers):
        raise SplitError(
            f"split 'kfold' cannot make {folds} folds of {_listed(speakers)}; choose from 2 to the number of speakers"
        )
    tests = balance(clips, [1 / folds] * folds, f"kfold {folds} {seed}")
    return hold_out("kfold", clips, tests[fold - 1], key=f"kfold {folds} {fold} {seed}", fractions=fractions)


def leave_one_speaker_out(clips: Sequence[Clip], *, fold: int, seed: int, fractions: Fractions) -> Split:
    """Fold `fold` tests the speaker of that place in alphabetical order."""
    speakers = speakers_of(clips, "loso")
    if len(speakers) < 2:
        raise SplitError(
            f"split 'loso' needs 2 speakers or more and these clips have {_listed(speakers)}; use 'stratified'"
        )
    return hold_out("loso", clips, [speakers[fold - 1]], key=f"loso {fold} {seed}", fractions=fractions)


def speakers_of(clips: Sequence[Clip], name: str) -> list[str]:
    """The distinct speakers, sorted.

    Raises:
        SplitError: clips have no speaker, so that no split can keep speakers apart.
    """
    unknown = [clip.clip_id for clip in clips if not clip.speaker]
    if unknown:
        raise SplitError(
            f"split '{name}' keeps speakers apart and {len(unknown)} of {len(clips)} clips have no speaker (first: "
            f"{min(unknown)}); fill in the column 'speaker', or use 'stratified' and report it as speaker-dependent"
        )
    return sorted({clip.speaker for clip in clips})


def hold_out(name: str, clips: Sequence[Clip], test: Sequence[str], *, key: str, fractions: Fractions) -> Split:
    """The split that tests the speakers given and takes validation from the others.

    Validation has ``fractions[1]`` of all speakers, rounded up, balanced in sexes and emotions. With one speaker left
    to train on it is ``fractions[1]`` of that speaker's clips, stratified, and `Split.validation_by_clip` says so.
    """
    rest = [clip for clip in clips if clip.speaker not in set(test)]
    others = {clip.speaker for clip in rest}
    if len(others) == 1:
        train, validation = stratify(rest, (1 - fractions[1], fractions[1]), key)
        return Split(
            name=name,
            train=by_clip_id(train),
            validation=by_clip_id(validation),
            test=by_clip_id([clip for clip in clips if clip.speaker in set(test)]),
            speaker_disjoint=True,
            validation_by_clip=True,
            notes=(f"{min(others)} is the only speaker left to train on, so validation shares it with training",),
        )
    held = min(len(others) - 1, math.ceil(fractions[1] * (len(others) + len(test)) - 1e-9))
    share = held / len(others)
    _, chosen = balance(rest, (1 - share, share), key, sizes=(len(others) - held, held))
    return from_speakers(name, clips, test=test, validation=chosen)


def from_speakers(name: str, clips: Sequence[Clip], *, test: Sequence[str], validation: Sequence[str]) -> Split:
    """The split that the speakers of its test and validation parts define; all others train."""
    part_of = {**dict.fromkeys(validation, "validation"), **dict.fromkeys(test, "test")}
    parts: dict[str, list[Clip]] = {"train": [], "validation": [], "test": []}
    for clip in clips:
        parts[part_of.get(clip.speaker, "train")].append(clip)
    return Split(
        name=name,
        train=by_clip_id(parts["train"]),
        validation=by_clip_id(parts["validation"]),
        test=by_clip_id(parts["test"]),
        speaker_disjoint=True,
    )


def _listed(speakers: Sequence[str]) -> str:
    shown = ", ".join(speakers[:3]) + (" …" if len(speakers) > 3 else "")
    return f"{len(speakers)} ({shown})"
