"""The studies of a store: every folder that `emogram study export` wrote, or a study's own folder."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emogram.errors import EmogramError, TrainingError
from emogram.evaluation.metrics import higher_is_better
from emogram.paper.wording import LEVEL_WORDS, changed_in_words, count, flat, listed, short
from emogram.studies.conditions import CLEAN
from emogram.studies.findings import Finding, Findings, Score, form
from emogram.studies.inference import Estimate
from emogram.studies.plan import PLAN, Plan, corpora_of, read_plan
from emogram.studies.points import configure, points
from emogram.studies.results import FINDINGS, TABLE, read_findings
from emogram.studies.study import BASE, Study, read_study

ORDER = (
    "spectrogram",
    "epochs",
    "augmentation",
    "regularisation",
    "optimisation",
    "clip_length",
    "architecture",
    "transfer",
    "generalisation",
)
"""In which the questions are told; others follow by name."""

_MOST_NAMED = 4
_MOST_NAMED_BRIEFLY = 2
_SEVERAL = 4


@dataclass(frozen=True)
class Studied:
    """One study as stored.

    Attributes:
        folder: that holds it.
        plan: question, points and runs.
        findings: scores and comparisons.
        table: rows of ``table.csv``, one for each point, fold and seed.
        settings: resolved fields of the base by dotted name; empty where they cannot be resolved any more.
    """

    folder: Path
    plan: Plan
    findings: Findings
    table: tuple[dict[str, str], ...]
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        """Of the study file."""
        return self.plan.study.name

    @property
    def title(self) -> str:
        """The name as a heading."""
        return _title(self.name)

    @property
    def conditions(self) -> tuple[str, ...]:
        """That something was scored under, clean first."""
        return tuple(dict.fromkeys(score.condition for score in self.findings.scores))

    @property
    def n_runs(self) -> int:
        """Distinct runs that were planned."""
        return len({row["key"] for row in self.table})

    @property
    def n_done(self) -> int:
        """Distinct runs that are done."""
        return len({row["key"] for row in self.table if row["status"] == "done"})

    @property
    def variants(self) -> tuple[str, ...]:
        """The points but for the base."""
        return tuple(point for point in self.plan.factors if point != BASE)

    @property
    def seconds(self) -> float:
        """Of all fits together."""
        return sum({row["key"]: number(row, "seconds") or 0.0 for row in self.table}.values())

    def score(self, point: str, condition: str = CLEAN) -> Score | None:
        """Of a point."""
        found = [one for one in self.findings.scores if (one.point, one.condition) == (point, condition)]
        return found[0] if found else None

    def comparison(self, point: str, condition: str) -> Finding | None:
        """The planned comparison of a point, with the base where there are several."""
        found = [one for one in self.findings.comparisons if (one.point, one.condition) == (point, condition)]
        return min(found, key=lambda one: one.against != BASE) if found else None

    def mean(self, point: str, column: str) -> float | None:
        """The mean of a column of the table over the runs of a point that are done."""
        values = [number(row, column) for row in self.table if row["point"] == point]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True)
class Open:
    """A study that has no table yet."""

    study: Study
    file: Path

    @property
    def title(self) -> str:
        """The name as a heading."""
        return _title(self.study.name)


def is_study(folder: Path) -> bool:
    """Whether a folder holds one study."""
    return (folder / PLAN).is_file()


def read_studies(store: Path) -> list[Studied]:
    """Every study below a folder, in the order in which they are told.

    Raises:
        TrainingError: a study whose files are missing or damaged.
    """
    return sorted((read_one(path.parent) for path in store.rglob(PLAN)), key=lambda found: _rank(found.name))


def read_one(folder: Path) -> Studied:
    """The study that a folder holds.

    Raises:
        TrainingError: a file is missing or damaged.
    """
    plan = read_plan(folder)
    path = folder / TABLE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = tuple(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        again = f"emogram study export runs/studies/{plan.study.name} -o {folder}"
        raise TrainingError(f"{path}: missing or damaged; export the study again: {again}") from error
    return Studied(folder, plan, read_findings(folder / FINDINGS), table, _settings(plan.study))


def open_studies(files: Path, studied: Sequence[Studied], synthetic: str) -> list[Open]:
    """Studies of a folder of study files that have no table, those on computed voices left out.

    Raises:
        ConfigurationError: a file that is no study.
    """
    known = {found.name for found in studied}
    read = [Open(read_study(path), path) for path in sorted(files.glob("*.yaml")) if path.stem not in known]
    return sorted(
        (found for found in read if corpora_of(found.study) != [synthetic]), key=lambda found: _rank(found.study.name)
    )


def answer(found: Studied) -> str:
    """What a study found, in a sentence or two, with intervals; disappointing or not."""
    metric = found.findings.outcome
    parts = []
    for condition in found.conditions:
        made = [each for each in found.findings.comparisons if each.condition == condition]
        told = [each for each in made if each.verdict in {"better", "worse", "no evidence"}]
        if told and condition == CLEAN:
            parts.append(f"{_capital(_found(told, metric))}{_highest(found, told)}.")
        elif told:
            parts.append(f"Under {condition}, {_briefly(told, metric)}.")
    if parts:
        parts += _elsewhere(found)
    if not parts:
        why = (
            "its runs are not finished" if found.n_done < found.n_runs else "there are too few speakers for an interval"
        )
        return f"Nothing can be told yet: {why}."
    return " ".join(parts)


def _elsewhere(found: Studied) -> list[str]:
    """How the base fares under conditions for which no comparison was planned."""
    compared = {each.condition for each in found.findings.comparisons}
    scored = [(label, found.score(BASE, label)) for label in found.conditions if label not in compared]
    metric = found.findings.outcome
    told = [
        f"{form(metric, one.estimate.value)}{_ends(one.estimate, metric)} under {label}"
        for label, one in scored
        if one and one.estimate
    ]
    clean = found.score(BASE)
    if not told or clean is None or clean.estimate is None:
        return []
    on_clean = f"{form(metric, clean.estimate.value)}{_ends(clean.estimate, metric)}"
    return [f"The base, {on_clean} on clean clips, has {listed(told)}."]


def number(row: dict[str, str], column: str) -> float | None:
    """A cell of the tidy table as a number."""
    try:
        return float(row.get(column) or "")
    except ValueError:
        return None


def _found(told: Sequence[Finding], metric: str) -> str:
    better, worse, none = ([each for each in told if each.verdict == v] for v in ("better", "worse", "no evidence"))
    texts = [f"{word} than {_named(some, metric)}" for some, word in ((better, "better"), (worse, "worse")) if some]
    if not none:
        return "; ".join(texts)
    if texts:
        return f"{'; '.join(texts)}. For {_rest(none)} there is no evidence of a difference"
    most = max(none, key=lambda each: abs(each.difference.estimate.value) if each.difference else 0.0)
    if len(none) == 1:
        return f"no evidence that {most.point} and {most.against} differ: {_change(most, metric)}"
    return (
        f"no evidence that any of the {count(len(none))} variants differs from {most.against}; furthest from it is {most.point}, "
        f"{_change(most, metric)}"
    )


def _briefly(told: Sequence[Finding], metric: str) -> str:
    """As `_found`, with the largest differences alone: further conditions repeat the list of variants."""
    better, worse, none = ([each for each in told if each.verdict == v] for v in ("better", "worse", "no evidence"))
    if not (better or worse):
        return _found(told, metric)
    texts = [
        f"{word} than {_named(some, metric, most=_MOST_NAMED_BRIEFLY)}"
        for some, word in ((better, "better"), (worse, "worse"))
        if some
    ]
    return "; ".join([*texts, *([f"no evidence for {_rest(none)}"] if none else [])])


def _highest(found: Studied, told: Sequence[Finding]) -> str:
    """Which of the points that were compared came out first, which is no claim that it is better than the second."""
    metric = found.findings.outcome
    compared = {name for each in told for name in (each.point, each.against)}
    known = [
        (one.point, one.estimate)
        for one in found.findings.scores
        if one.condition == CLEAN and one.point in compared and one.estimate
    ]
    if len(known) < _SEVERAL:
        return ""
    best = max if higher_is_better(metric) else min
    point, estimate = best(known, key=lambda each: each[1].value)
    return (
        f"; {'highest' if best is max else 'lowest'}: {point}, {form(metric, estimate.value)}{_ends(estimate, metric)}"
    )


def _ends(estimate: Estimate, metric: str) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" ({LEVEL_WORDS} interval {short(metric, estimate.low)} to {short(metric, estimate.high)})"


def _named(some: Sequence[Finding], metric: str, *, most: int = _MOST_NAMED) -> str:
    """Those that were told apart, by size; where they were set against several points, each with its own."""
    by_size = sorted(some, key=lambda each: -abs(each.difference.estimate.value) if each.difference else 0.0)
    against = list(dict.fromkeys(each.against for each in some))
    several = len(against) > 1
    names = [
        f"{each.point}{f' (than {each.against})' if several else ''}, {_change(each, metric)}"
        for each in by_size[:most]
    ]
    if len(by_size) > most:
        names.append(f"and {len(by_size) - most} more")
    return f"{listed(against, 'or')}: {'; '.join(names)}"


def _rest(none: Sequence[Finding]) -> str:
    return none[0].point if len(none) == 1 else f"the {count(len(none))} others"


def _change(each: Finding, metric: str) -> str:
    return changed_in_words(each.difference.estimate, metric) if each.difference else ""


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _title(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _settings(study: Study) -> dict[str, Any]:
    try:
        base = points(study)[0]
        configuration = configure(study, base, base.folds[0], base.seeds[0])
    except (EmogramError, OSError):  # an older study, or one whose weights are not here: it is told without
        return {}
    return flat(configuration.model_dump(mode="json", exclude={"runtime", "name", "corpora"}, exclude_none=True))
