"""What a corpus is to the rest of emogram: facts about it, how to find its clips, and what its release holds."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.emotions import ordered


def nothing_official(kinds: Collection[str]) -> frozenset[str]:
    """The official clips of a corpus that has no official release: none, whatever the kinds."""
    del kinds
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """One corpus, registered by its name in `emogram.corpora.CORPORA`.

    Attributes:
        name: what the user types.
        title: full name and size, for people.
        licence: under which its audio may be used.
        citation: the paper or record to cite.
        languages: spoken languages, in English.
        labels: every raw label of the corpus and its canonical emotion.
        address: where the corpus is at home; empty for one's own data.
        example: a path as in the official release, shown when nothing is found.
        find: a row for every file under a folder that is a clip of this corpus, sorted by ``clip_id``, without duration
            and hash. Of several files of one clip the first counts. Never reads audio.
        find_labelled: the same with the user's own label table; None where the labels are the corpus's own.
        official: ``clip_id`` of every clip of the official release, limited to the given kinds unless none is given.
        kind: ``speech`` or ``song`` where the name stands for one part of a corpus, else empty.
    """

    name: str
    title: str
    licence: str
    citation: str
    languages: tuple[str, ...]
    labels: Mapping[str, str]
    address: str
    example: str
    find: Callable[[Path], list[Clip]]
    find_labelled: Callable[[Path, Mapping[str, str]], list[Clip]] | None = None
    official: Callable[[Collection[str]], frozenset[str]] = nothing_official
    kind: str = ""

    @property
    def emotions(self) -> tuple[str, ...]:
        """The canonical emotions that this corpus can carry, in canonical order: its label mask."""
        return ordered(self.labels.values())

    @property
    def n_clips(self) -> int:
        """The number of clips in the official release; 0 where there is none."""
        return len(self.official((self.kind,) if self.kind else ()))
