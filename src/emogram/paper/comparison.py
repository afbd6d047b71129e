"""What can be said of results side by side: within a protocol, beside published ones, and between two kinds of split."""

from collections.abc import Sequence
from dataclasses import dataclass

from emogram.errors import ConfigurationError
from emogram.evaluation.published import PublishedResult, published_predictions, published_results
from emogram.evaluation.statistics import Comparison, compare, holm
from emogram.paper.stored import Result
from emogram.studies.inference import Difference, difference

_WITH_ANSWERS = {"ravdess-luna": "luna-xlsr"}
"""Protocols of which a published system's answer to every clip is packaged."""


@dataclass(frozen=True)
class Tested:
    """A paired comparison with its p-value corrected for all of its group."""

    comparison: Comparison
    holm_p: float | None


@dataclass(frozen=True)
class Group:
    """Results on the same corpora by the same split.

    Attributes:
        results: best first.
        published: results of that protocol from the literature, best first.
        tested: the best against each other one, and against published answers where they are packaged.
    """

    results: tuple[Result, ...]
    published: tuple[PublishedResult, ...]
    tested: tuple[Tested, ...]

    @property
    def best(self) -> Result:
        """The highest accuracy."""
        return self.results[0]

    @property
    def split(self) -> str:
        """Name of the protocol or split."""
        return self.best.split

    @property
    def unseen(self) -> bool:
        """Whether no test speaker was in training."""
        return self.best.unseen

    @property
    def label(self) -> str:
        """In names of figures and tables."""
        return "-".join((*self.best.corpora, self.split)).replace(" ", "-")


@dataclass(frozen=True)
class Inflation:
    """The same training once tested on unseen speakers, once on a random split of clips.

    Attributes:
        unseen: the one.
        random: the other.
        apart: accuracy of the random split minus that on unseen speakers, each over all clips of its own.
        paired: the same on the clips that both tested; None where there are none.
        n_shared: how many these are.
    """

    unseen: Result
    random: Result
    apart: float
    paired: Difference | None
    n_shared: int


def groups_of(results: Sequence[Result]) -> list[Group]:
    """The results in groups that can be compared, those on unseen speakers and the largest first."""
    members: dict[tuple[tuple[str, ...], str], list[Result]] = {}
    for result in results:
        members.setdefault(result.group, []).append(result)
    published = published_results()
    found = [
        Group(
            results=tuple(sorted(held, key=lambda result: -result.accuracy)),
            published=tuple(one for one in published if one.protocol == split and one.accuracy is not None),
            tested=_tested(sorted(held, key=lambda result: -result.accuracy), split),
        )
        for (_, split), held in members.items()
    ]
    return sorted(
        found, key=lambda group: (group.best.is_synthetic, not group.unseen, -len(group.results), group.label)
    )


def inflations(results: Sequence[Result]) -> list[Inflation]:
    """Every pair of results that differ by the split alone, one of them random."""
    pairs = [
        (unseen, random)
        for random in results
        for unseen in results
        if random.is_random and unseen.unseen and random.corpora == unseen.corpora and _same_training(random, unseen)
    ]
    return [_inflation(unseen, random) for unseen, random in pairs]


def _same_training(one: Result, other: Result) -> bool:
    kept = [
        {name: value for name, value in result.settings.items() if not name.startswith("split.") and name != "seed"}
        for result in (one, other)
    ]
    return one.parameters == other.parameters and kept[0] == kept[1] and bool(kept[0])


def _inflation(unseen: Result, random: Result) -> Inflation:
    shared = set(unseen.predictions.clip_ids) & set(random.predictions.clip_ids)
    try:
        paired = difference({0: random.predictions}, {0: unseen.predictions}, "accuracy")
    except ConfigurationError:  # no clip in common, or other emotions
        paired = None
    return Inflation(unseen, random, random.accuracy - unseen.accuracy, paired, len(shared) if paired else 0)


def _tested(held: Sequence[Result], split: str) -> tuple[Tested, ...]:
    best = held[0]
    pairs = [(other.predictions, other.label) for other in held[1:]]
    if split in _WITH_ANSWERS:
        name = _WITH_ANSWERS[split]
        pairs.append((published_predictions(name), name))
    made = []
    for predictions, label in pairs:
        try:
            made.append(compare(best.predictions, predictions, metric="accuracy", names=(best.label, label)))
        except ConfigurationError:  # tested on fewer clips, or taught other emotions
            continue
    known = [one.p_value for one in made if one.p_value is not None]
    corrected = iter(holm(known))
    return tuple(Tested(one, None if one.p_value is None else next(corrected)) for one in made)
