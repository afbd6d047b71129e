"""What a study found: a score for every point, and for every planned comparison a plain sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from emogram.errors import ConfigurationError
from emogram.evaluation.metrics import METRICS, Predictions, higher_is_better, pool
from emogram.evaluation.statistics import FEW_SPEAKERS, LEVEL, MIN_SPEAKERS, holm
from emogram.studies.conditions import CLEAN
from emogram.studies.groups import of_group
from emogram.studies.inference import Difference, Estimate, difference, estimate
from emogram.studies.plan import Plan

Verdict = Literal["better", "worse", "no evidence", "the same", "cannot tell"]


class Answers(Protocol):
    """Where predictions come from: the store, or what was exported from it."""

    def predictions(self, key: str, stem: str) -> Predictions | None:
        """Of the test part of a run, clean or under a condition; None where there are none."""


@dataclass(frozen=True)
class Score:
    """The score of a point under a condition.

    Attributes:
        point: name.
        condition: ``clean`` or the label of a condition.
        estimate: None where no seed has all its folds.
        note: which seeds are incomplete; else empty.
    """

    point: str
    condition: str
    estimate: Estimate | None
    note: str


@dataclass(frozen=True)
class Finding:
    """A planned comparison.

    Attributes:
        point: the one.
        against: the other.
        condition: under which both were tested.
        difference: None where they cannot be compared.
        holm_p: p-value corrected for the number of the study's comparisons that could be made.
        n_comparisons: that number.
        verdict: of the point.
        sentence: all this in words.
    """

    point: str
    against: str
    condition: str
    difference: Difference | None
    holm_p: float | None
    n_comparisons: int
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Findings:
    """Everything that is said about a study.

    Attributes:
        study: its name.
        question: that it asks.
        outcome: the metric.
        scores: of every point under every condition.
        comparisons: those that were planned.
        groups: scores of every point on each group of the clean test part; ``condition`` is the label of the group.
    """

    study: str
    question: str
    outcome: str
    scores: tuple[Score, ...]
    comparisons: tuple[Finding, ...]
    groups: tuple[Score, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def find(plan: Plan, answers: Answers) -> Findings:
    """Score every point and make every planned comparison that can be made by now.

    Holm's correction is for all planned comparisons that could be made. A verdict rests on the corrected p-value.
    """
    study = plan.study
    conditions = [CLEAN, *(condition.label for condition in study.conditions)]
    tables = {(point, label): _seeds(plan, answers, point, label) for point in plan.factors for label in conditions}
    scored = [
        Score(point, label, estimate(seeds, study.outcome) if seeds else None, note)
        for (point, label), (seeds, note) in tables.items()
        if seeds or note  # a point has no such condition where it is the corpus that it trains on
    ]
    planned = list(
        dict.fromkeys(
            (point, comparison.against, label)
            for comparison in study.comparisons
            for point in comparison.chosen(plan.factors)
            if point != comparison.against
            for label in comparison.conditions
        )
    )
    made: dict[tuple[str, str, str], Difference | str] = {}
    for point, against, label in planned:
        try:
            made[point, against, label] = _difference(plan, tables, (point, against, label))
        except ConfigurationError as error:
            made[point, against, label] = str(error)
    tested = {
        at: each.p_value for at, each in made.items() if isinstance(each, Difference) and each.p_value is not None
    }
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    comparisons = tuple(_finding(study.outcome, at, each, corrected) for at, each in made.items())
    groups = _grouped(plan, {point: tables[point, CLEAN][0] for point in plan.factors})
    return Findings(study.name, study.question, study.outcome, tuple(scored), comparisons, groups)


def _grouped(plan: Plan, tables: Mapping[str, Mapping[int, Predictions]]) -> tuple[Score, ...]:
    """Scores of every point on the groups that its test part has clips of."""
    scored = []
    for label, clip_ids in plan.groups.items():
        members = frozenset(clip_ids)
        for point, seeds in tables.items():
            parts = {seed: part for seed, answers in seeds.items() if (part := of_group(answers, members)) is not None}
            if parts:
                scored.append(Score(point, label, estimate(parts, plan.study.outcome), ""))
    return tuple(scored)


def _seeds(plan: Plan, answers: Answers, point: str, label: str) -> tuple[dict[int, Predictions], str]:
    """The pooled predictions of every seed that has all its folds, and what is missing in words."""
    runs = plan.of_point(point)
    seeds: dict[int, Predictions] = {}
    wanted = list(dict.fromkeys(run.seed for run in runs if label == CLEAN or label in run.conditions))
    for seed in wanted:
        folds = [
            answers.predictions(run.key, CLEAN if label == CLEAN else run.conditions[label])
            for run in runs
            if run.seed == seed
        ]
        whole = [fold for fold in folds if fold is not None]
        if len(whole) == len(folds):
            seeds[seed] = _pool(whole)
    missing = [str(seed) for seed in wanted if seed not in seeds]
    return seeds, f"not finished: seed {', '.join(missing)}" if missing else ""


def _pool(folds: Sequence[Predictions]) -> Predictions:
    """The folds as one table. Another corpus is tested by the model of every fold: its clips then count once a fold."""
    repeated = len({clip_id for fold in folds for clip_id in fold.clip_ids}) < sum(map(len, folds))
    if not repeated:
        return pool(folds)
    marked = [
        Predictions(
            clip_ids=tuple(f"{clip_id} #{number}" for clip_id in fold.clip_ids),
            corpora=fold.corpora,
            speakers=fold.speakers,
            sexes=fold.sexes,
            truth=fold.truth,
            probabilities=fold.probabilities,
            emotions=fold.emotions,
        )
        for number, fold in enumerate(folds, start=1)
    ]
    return pool(marked)


def _difference(
    plan: Plan, tables: dict[tuple[str, str], tuple[dict[int, Predictions], str]], at: tuple[str, str, str]
) -> Difference | str:
    point, against, label = at
    if plan.same(point, against):
        return "the same"
    return difference(tables[point, label][0], tables[against, label][0], plan.study.outcome)


def _finding(
    metric: str,
    at: tuple[str, str, str],
    made: Difference | str,
    corrected: dict[tuple[str, str, str], float],
) -> Finding:
    point, against, label = at
    under = "" if label == CLEAN else f" under {label}"
    if isinstance(made, str):
        same = made == "the same"
        why = "they are the same runs" if same else made
        text = f"{point} is {against}: {why}." if same else f"{point} cannot be compared with {against}{under}: {why}."
        return Finding(point, against, label, None, None, len(corrected), "the same" if same else "cannot tell", text)
    p_value = corrected.get(at)
    verdict = _verdict(metric, made, p_value)
    sentence = f"{_claim(point, against, under, verdict)}: {_facts(metric, made, p_value, len(corrected))}."
    return Finding(point, against, label, made, p_value, len(corrected), verdict, sentence)


def _verdict(metric: str, made: Difference, p_value: float | None) -> Verdict:
    if p_value is None:
        return "cannot tell"
    if p_value >= 1 - LEVEL:
        return "no evidence"
    return "better" if (made.estimate.value > 0) == higher_is_better(metric) else "worse"


def _claim(point: str, against: str, under: str, verdict: Verdict) -> str:
    if verdict in {"better", "worse"}:
        return f"{point} is {verdict} than {against}{under}"
    if verdict == "no evidence":
        return f"No evidence that {point} and {against} differ{under}"
    return f"Whether {point} and {against} differ{under} cannot be told"


def _facts(metric: str, made: Difference, p_value: float | None, count: int) -> str:
    found = made.estimate
    first, second = form(metric, made.first), form(metric, made.second)
    facts = f"{METRICS[metric]} {first} against {second}, difference {apart(metric, found.value)}"
    if found.low is None or found.high is None or p_value is None:
        few = f"{found.n_speakers} speakers are too few, {MIN_SPEAKERS} or more are needed"
        return f"{facts}; no interval: {few if found.n_speakers else 'the speakers of some clips are unknown'}"
    of = f"of {count} comparisons" if count > 1 else "of one comparison"
    seeds = f"{found.n_seeds} seeds" if found.n_seeds > 1 else "one seed"
    rough = ", so few that it is rough" if found.n_speakers < FEW_SPEAKERS else ""
    probability = "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"
    return (
        f"{facts} (95 % interval {apart(metric, found.low)} to {apart(metric, found.high)}, {found.n_speakers} "
        f"speakers{rough}, {seeds}; p {probability} after Holm's correction {of})"
    )


def form(metric: str, value: float) -> str:
    """A score as text: percent, or three decimals for losses."""
    return f"{100 * value:.1f} %" if higher_is_better(metric) else f"{value:.3f}"


def apart(metric: str, value: float) -> str:
    """A difference as text: points of percent, or three decimals for losses."""
    return f"{100 * value:+.1f} points" if higher_is_better(metric) else f"{value:+.3f}"
