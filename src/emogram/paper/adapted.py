"""Models that were adapted: every ``adaptation.json`` of a store, which `emogram adapt --json` prints."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emogram.errors import TrainingError
from emogram.evaluation.style import BLUE, GREEN, ORANGE, house_figure
from emogram.paper.result_tables import title_of
from emogram.paper.tables import Table
from emogram.paper.wording import LEVEL_WORDS, Row, listed, score, with_interval
from emogram.training.run_folder import read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILE = "adaptation.json"
_REMEDY = "make it again with: emogram adapt --json"
_NONE = 0.5
"""Where on the logarithmic axis no clip stands."""
_LOOKS = ((BLUE, "o"), (ORANGE, "^"), (GREEN, "s"), ("#CC79A7", "D"), ("#56B4E9", "v"))
_HEIGHT_IN = 3.6


@dataclass(frozen=True)
class Adapted:
    """A model that was adapted to clips of a corpus.

    Attributes:
        name: of its folder.
        facts: content of its file.
        label: in tables and figures, unlike that of any other: ``EmoDB, other speakers``.
    """

    name: str
    facts: Mapping[str, Any]
    label: str = ""

    @property
    def model(self) -> str:
        """What was adapted."""
        return str(self.facts["model"])

    @property
    def corpus(self) -> str:
        """Titles of the corpora."""
        return listed([title_of(name) for name in self.facts["corpora"]])

    @property
    def others(self) -> bool:
        """Whether the clips that it was adapted to were of other speakers than those of the test."""
        return bool(self.facts["speaker_disjoint"])

    @property
    def kind(self) -> str:
        """The corpora, and whose clips it was adapted to."""
        speakers = self.facts["after"]["speakers"]
        return f"{self.corpus}, {'other speakers' if self.others else 'the same voice' if speakers == 1 else 'the same voices'}"

    @property
    def clips(self) -> int:
        """Tested."""
        return int(self.facts["after"]["clips"])

    @property
    def speakers(self) -> int:
        """Tested, 0 where unknown."""
        return int(self.facts["after"]["speakers"])

    @property
    def new(self) -> list[str]:
        """Emotions that the model had not known."""
        return [str(name) for name in self.facts["new"]]

    @property
    def before(self) -> Row | None:
        """Accuracy of the model as it was."""
        before = self.facts["before"]
        return None if before is None else dict(before["metrics"]["accuracy"])

    @property
    def after(self) -> Row:
        """Accuracy of the adapted model."""
        return dict(self.facts["after"]["metrics"]["accuracy"])

    @property
    def curve(self) -> dict[int, Row]:
        """Accuracy by how many clips of each emotion it was adapted to."""
        return {int(count): dict(metrics["accuracy"]) for count, metrics in self.facts["curve"].items()}


def read_adapted(store: Path) -> list[Adapted]:
    """Every adaptation below a folder, those tested on other speakers first.

    Raises:
        TrainingError: a damaged file.
    """
    found = []
    for path in sorted(store.rglob(FILE)):
        one = Adapted(path.parent.relative_to(store).as_posix(), read_json(path, remedy=_REMEDY))
        try:
            _ = one.model, one.kind, one.clips, one.new, one.before, one.after["value"], one.curve
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{path}: lacks or misnames {error}; {_REMEDY}") from error
        found.append(one)
    kinds = Counter(one.kind for one in found)
    labelled = [
        replace(
            one, label=one.kind if kinds[one.kind] == 1 else f"{one.kind} ({Path(one.name).name.replace('-', ' ')})"
        )
        for one in found
    ]
    return sorted(labelled, key=lambda one: (not one.others, one.name))


def table(found: Sequence[Adapted]) -> Table:
    """As it was, with few clips, with all."""
    counts = sorted({count for one in found for count in one.curve})
    shown = [count for count in counts if count in {1, 4, 16, 64}]
    rows = [
        (
            f"{one.model}, {one.label}",
            str(one.clips),
            "–" if one.before is None else score(one.before),
            *(score(one.curve[count]) if count in one.curve else "–" for count in shown),
            with_interval(one.after),
        )
        for one in found
    ]
    header = ("model, clips adapted to", "clips", "none", *map(str, shown), f"all ({LEVEL_WORDS} interval)")
    return Table(header, tuple(rows), "l" + "r" * (len(header) - 1), wide={0: 1})


def figure(found: Sequence[Adapted], *, width_in: float, height_in: float = 0.0) -> "tuple[Figure, str]":
    """Accuracy by clips of each emotion, from none."""
    told = []
    with house_figure(width_in, height_in or _HEIGHT_IN) as drawn:
        axes = drawn.subplots()
        for one, (colour, marker) in zip(found, _LOOKS, strict=False):
            counts, rows = list(one.curve), list(one.curve.values())
            values = [100 * float(row["value"] or 0) for row in rows]
            axes.plot(counts, values, color=colour, marker=marker, markersize=5, label=one.label)
            low, high = ([100 * end for row in rows if (end := row[side]) is not None] for side in ("low", "high"))
            if len(low) == len(high) == len(rows):
                axes.fill_between(counts, low, high, color=colour, alpha=0.15, linewidth=0)
            if one.before is not None:
                begin = 100 * float(one.before["value"] or 0)
                axes.plot([_NONE, counts[0]], [begin, values[0]], ":", color=colour, marker=marker, markersize=5)
            few = ", ".join(f"{value:.1f} with {count}" for count, value in zip(counts, values, strict=True))
            told.append(f"{one.label}: {score(one.before) if one.before else 'nothing'} with none, {few}")
        ticks = [2**power for power in range(max((max(one.curve) for one in found), default=1).bit_length())]
        axes.set_xscale("log", base=2)
        axes.set_xticks([_NONE, *ticks], ["none", *map(str, ticks)])
        axes.grid(axis="y")
        axes.set(xlabel="clips of each emotion that the model was adapted to", ylabel="accuracy in %")
        axes.legend(loc="lower right")
    return drawn, f"Accuracy in percent. {'; '.join(told)}."
