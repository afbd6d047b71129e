"""The tables of studies: what was asked and answered, and the scores of one study."""

from collections.abc import Sequence

from emogram.evaluation.metrics import METRICS, higher_is_better
from emogram.paper.markup import code, escape
from emogram.paper.studied import Open, Studied, answer
from emogram.paper.tables import Table
from emogram.paper.wording import LEVEL_WORDS, amount, changed, estimated, probability
from emogram.studies.conditions import CLEAN
from emogram.studies.findings import Score
from emogram.studies.study import BASE

_MANY = 6
_WIDE = 4
"""Columns beside which intervals are written short."""
_VERDICTS = ("better", "worse", "no evidence")


def answers(studied: Sequence[Studied], unrun: Sequence[Open]) -> Table:
    """Each question with its answer in a sentence, those that have none included; intervals in brackets, as the caption says."""
    brackets = f"({LEVEL_WORDS} interval "
    rows: list[tuple[str, ...]] = [
        (escape(found.findings.question), escape(answer(found).replace(brackets, "("))) for found in studied
    ]
    rows += [(escape(each.study.question), "*Not run yet.*") for each in unrun]
    return Table(("question", "answer"), tuple(rows), "ll", wide={0: 2, 1: 3}, breaks=True)


def overview(studied: Sequence[Studied], unrun: Sequence[Open]) -> Table:
    """How many variants of each study were told apart on clean speech, for a slide."""
    rows = []
    for found in studied:
        made: list[str] = [each.verdict for each in found.findings.comparisons if each.condition == CLEAN]
        rows.append((escape(found.title), *(str(made.count(verdict)) for verdict in _VERDICTS)))
    rows += [(escape(each.title), "not run yet", "", "") for each in unrun]
    return Table(("variants that are", *_VERDICTS), tuple(rows), "lrrr")


def conditions(found: Studied, labels: Sequence[str]) -> Table:
    """Scores under several conditions side by side, where no comparison was planned."""
    return _side_by_side(found, [one for one in found.findings.scores if one.condition in labels])


def groups(found: Studied) -> Table:
    """Scores on groups of the clean test part side by side."""
    return _side_by_side(found, found.findings.groups)


def _side_by_side(found: Studied, scored: Sequence[Score]) -> Table:
    """A row a point, a column a condition or group."""
    cells = {(one.point, one.condition): one for one in scored}
    labels = list(dict.fromkeys(one.condition for one in scored))
    points = [point for point in found.plan.factors if any((point, label) in cells for label in labels)]
    dash = "–" if len(labels) > _WIDE else " to "

    def shown(score: Score | None) -> str:
        return "" if score is None else estimated(score.estimate, found.findings.outcome).replace(" to ", dash)

    rows = [(escape(point), *(shown(cells.get((point, label))) for label in labels)) for point in points]
    header = ("", *(escape(label) for label in labels))
    strong = frozenset({points.index(BASE)} if BASE in points else ())
    return Table(header, tuple(rows), "l" + "r" * len(labels), strong, floats=len(rows) > _MANY)


def scores(found: Studied, condition: str) -> Table:
    """Every point under a condition: score, difference, corrected p-value, verdict; gap and size where they tell."""
    metric = found.findings.outcome
    points = [point for point in found.plan.factors if found.score(point, condition) is not None]
    unit = ", %" if higher_is_better(metric) else ""
    against = sorted({each.against for each in found.findings.comparisons if each.condition == condition})
    gaps = _known(found, points, "gap")
    sizes = _known(found, points, "parameters")
    varied = len({round(size, -2) for size in sizes.values()}) > 1
    header = [
        "",
        f"{METRICS[metric]}{unit}",
        f"against {' or '.join(against)}" if against else "difference",
        "p",
        "verdict",
    ]
    header += ["gap, points"] if gaps else []
    header += ["parameters"] if varied else []
    rows = []
    for point in points:
        one, made = found.score(point, condition), found.comparison(point, condition)
        row = [escape(point), estimated(one.estimate if one else None, metric)]
        row += [changed(made.difference.estimate, metric) if made and made.difference else ""]
        row += [probability(made.holm_p) if made else "", made.verdict if made else ""]
        row += [f"{100 * gaps[point]:+.1f}" if point in gaps else ""] if gaps else []
        row += [amount(sizes.get(point))] if varied else []
        rows.append(tuple(row))
    strong = frozenset(at for at, point in enumerate(points) if point == BASE)
    align = "lrrrl" + "r" * (len(header) - 5)
    return Table(tuple(header), tuple(rows), align, strong, floats=len(rows) > _MANY)


def sentences(found: Studied) -> list[str]:
    """The sentences of a study: all where they are few; else those of points that were told apart."""
    order = {label: at for at, label in enumerate(found.conditions)}
    made = sorted(found.findings.comparisons, key=lambda each: order[each.condition])
    if len(made) <= _MANY:
        return [each.sentence for each in made]
    return [each.sentence for each in made if each.verdict in {"better", "worse"}]


def undecided(found: Studied) -> list[tuple[str, list[str]]]:
    """By condition the points for which there is no evidence, where their sentences were left out."""
    made = found.findings.comparisons
    if len(made) <= _MANY:
        return []
    named = {
        condition: [each.point for each in made if each.condition == condition and each.verdict == "no evidence"]
        for condition in found.conditions
    }
    return [(condition, points) for condition, points in named.items() if points]


def unfinished(found: Studied) -> list[str]:
    """What the findings note about points that lack runs."""
    return [
        f"{one.point}, {one.condition}: {one.note.removeprefix('not finished: ')}"
        for one in found.findings.scores
        if one.note
    ]


def open_list(unrun: Sequence[Open]) -> list[tuple[str, str, str, str]]:
    """Name, question, budget and command of each study that has no table."""
    return [(each.title, each.study.question, each.study.budget.words, _command(each)) for each in unrun]


def _command(each: Open) -> str:
    corpora = " ".join(f"--corpus {name}={name.upper()}" for name in each.study.corpora)
    return str(code(f"emogram study run {each.file.as_posix()} {corpora}"))


def _known(found: Studied, points: Sequence[str], column: str) -> dict[str, float]:
    means = {point: found.mean(point, column) for point in points}
    return {point: value for point, value in means.items() if value is not None}
