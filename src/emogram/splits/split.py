"""`Split`: which clips train, which choose the checkpoint, which are tested once."""

from collections.abc import Iterable
from dataclasses import dataclass

from emogram.corpora.clip import Clip

PARTS: tuple[str, ...] = ("train", "validation", "test")
"""The parts of a split, in the order in which every table lists them."""


@dataclass(frozen=True)
class Split:
    """Clips in three parts, each sorted by ``clip_id``.

    Attributes:
        name: how it was made, one of `emogram.splits.NAMES`.
        train: fitted on, with all statistics.
        validation: picks the checkpoint, the temperature and every threshold.
        test: read once.
        speaker_disjoint: no speaker of the test part is in training or validation.
        validation_by_clip: validation shares its speakers with training although the test part does not, because too
            few speakers were left; model selection is then optimistic, the test score is not.
        left_out: clips given that are in no part (song by a test speaker, clips that a published protocol omits).
        notes: what a reader of the result must know, one sentence each.
    """

    name: str
    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    test: tuple[Clip, ...]
    speaker_disjoint: bool
    validation_by_clip: bool = False
    left_out: tuple[Clip, ...] = ()
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, tuple[Clip, ...]]:
        """The three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def sizes(self) -> dict[str, int]:
        """Number of clips in each part."""
        return {part: len(clips) for part, clips in self.parts().items()}

    def part_of(self) -> dict[str, str]:
        """The part of every clip, by ``clip_id``; a clip left out has none."""
        return {clip.clip_id: part for part, clips in self.parts().items() for clip in clips}


def sources(clips: Iterable[Clip]) -> dict[str, str]:
    """The hash of the source of every augmented copy, by the hash of the copy."""
    return {clip.sha256: clip.source_sha256 for clip in clips if clip.sha256 and clip.source_sha256}


def recording(clip: Clip, source_of: dict[str, str]) -> str:
    """The hash of the recording that a clip is, or was made from in one or more steps; empty without hashes."""
    origin, seen = clip.source_sha256 or clip.sha256, set[str]()
    while origin in source_of and origin not in seen:
        seen.add(origin)
        origin = source_of[origin]
    return origin


def by_clip_id(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """The clips in the order in which a part lists them."""
    return tuple(sorted(clips, key=lambda clip: clip.clip_id))
