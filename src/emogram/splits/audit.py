"""Leaks between the parts of a split: what makes a test score better than it is."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from emogram.corpora.clip import Clip
from emogram.errors import LeakError
from emogram.splits.split import Split, recording, sources


@dataclass(frozen=True)
class Leak:
    """One way in which the parts of a split are not independent.

    Attributes:
        kind: ``same clip``, ``same audio``, ``augmented copy`` or ``same speaker``.
        severity: an ``error`` makes the score worthless; a ``notice`` must be told with it.
        clips: the clips concerned, sorted; for speakers, none.
        speakers: the speakers concerned, sorted.
        message: one line.
    """

    kind: Literal["same clip", "same audio", "augmented copy", "same speaker"]
    severity: Literal["error", "notice"]
    clips: tuple[str, ...]
    speakers: tuple[str, ...]
    message: str


Placed = tuple[str, Clip]


def audit(split: Split) -> list[Leak]:
    """All leaks, errors first: a clip listed twice, identical audio or an augmented copy across parts, shared speakers."""
    placed = [(part, clip) for part, clips in split.parts().items() for clip in clips]
    leaks = [*_same_clip(placed), *_same_audio(placed), *_augmented(placed), *_same_speaker(split, placed)]
    return sorted(leaks, key=lambda leak: leak.severity)


def require_no_leak(split: Split) -> None:
    """Refuse a split with a leak.

    Raises:
        LeakError: `audit` finds an error; names the first and how many there are.
    """
    errors = [leak for leak in audit(split) if leak.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise LeakError(f"split '{split.name}' leaks: {errors[0].message}{more}; remove one side from the manifest")


def _groups(placed: Iterable[Placed], key: Callable[[Clip], str]) -> dict[str, list[Placed]]:
    groups: defaultdict[str, list[Placed]] = defaultdict(list)
    for part, clip in placed:
        if key(clip):
            groups[key(clip)].append((part, clip))
    return groups


def _parts(group: Iterable[Placed]) -> list[str]:
    return list(dict.fromkeys(part for part, _ in group))


def _leak(kind: Literal["same clip", "same audio", "augmented copy"], group: Iterable[Placed], message: str) -> Leak:
    clips = tuple(sorted({clip.clip_id for _, clip in group}))
    speakers = tuple(sorted({clip.speaker for _, clip in group if clip.speaker}))
    return Leak(kind, "error", clips, speakers, message)


def _same_clip(placed: list[Placed]) -> Iterable[Leak]:
    for clip_id, group in _groups(placed, lambda clip: clip.clip_id).items():
        if len(group) > 1:
            where = " and ".join(part for part, _ in group)
            yield _leak("same clip", group, f"{clip_id} is listed {len(group)} times, in {where}")


def _same_audio(placed: list[Placed]) -> Iterable[Leak]:
    for group in _groups(placed, lambda clip: clip.sha256).values():
        if len(_parts(group)) > 1 and len({clip.clip_id for _, clip in group}) > 1:
            where = ", ".join(f"{clip.clip_id} in {part}" for part, clip in group)
            yield _leak("same audio", group, f"identical audio: {where}")


def _augmented(placed: list[Placed]) -> Iterable[Leak]:
    """An augmented copy away from its source, or from another copy of the same source."""
    source_of = sources(clip for _, clip in placed)
    for group in _groups(placed, lambda clip: recording(clip, source_of)).values():
        if len(_parts(group)) > 1 and any(clip.source_sha256 for _, clip in group):
            where = ", ".join(f"{clip.clip_id} in {part}" for part, clip in group)
            yield _leak("augmented copy", group, f"augmented copies of one recording in two parts: {where}")


def _same_speaker(split: Split, placed: list[Placed]) -> Iterable[Leak]:
    """Shared speakers, one leak for each two parts."""
    shared: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for speaker, group in _groups(placed, lambda clip: clip.speaker).items():
        parts = _parts(group)
        for index, first in enumerate(parts):
            for second in parts[index + 1 :]:
                shared[first, second].append(speaker)
    for (first, second), speakers in shared.items():
        allowed = not split.speaker_disjoint or (split.validation_by_clip and second == "validation")
        shown = ", ".join(sorted(speakers)[:5]) + (" …" if len(speakers) > 5 else "")
        message = f"{len(speakers)} speakers are both in {first} and in {second} ({shown})"
        yield Leak("same speaker", "notice" if allowed else "error", (), tuple(sorted(speakers)), message)
