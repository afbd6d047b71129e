"""What the paper says of a study in a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest

from emogram.paper.studied import Studied, answer, read_one
from emogram.studies.findings import Finding, Verdict
from tests.paper import made_up

NOISE = "noise 10 dB"


@pytest.fixture
def studied(tmp_path: Path) -> Studied:
    made_up.write_study(tmp_path / "small", tmp_path / "runs")
    return read_one(tmp_path / "small")


def in_noise(studied: Studied, verdicts: dict[str, Verdict]) -> Studied:
    """With further comparisons in noise, of points by their names."""
    model = studied.findings.comparisons[0]
    more: list[Finding] = [
        replace(model, point=name, condition=NOISE, verdict=verdict) for name, verdict in verdicts.items()
    ]
    scores = (*studied.findings.scores, replace(studied.findings.scores[0], condition=NOISE))
    findings = replace(studied.findings, comparisons=(*studied.findings.comparisons, *more), scores=scores)
    return replace(studied, findings=findings)


def test_in_further_conditions_two_are_named_and_the_others_counted(studied: Studied) -> None:
    verdicts: dict[str, Verdict] = {"a": "better", "b": "better", "c": "better", "d": "worse", "e": "no evidence"}
    told = answer(in_noise(studied, verdicts)).partition(f"Under {NOISE}, ")[2]
    assert told.startswith("better than base: a, ")
    assert "; b, " in told
    assert "; and 1 more; worse than base: d, " in told
    assert "c, " not in told
    assert told.endswith("; no evidence for e.")


def test_without_any_difference_the_furthest_is_named(studied: Studied) -> None:
    told = answer(in_noise(studied, {"a": "no evidence", "b": "no evidence"})).partition(f"Under {NOISE}, ")[2]
    assert told.startswith("no evidence that any of the two variants differs from base; furthest from it is a, ")


def test_the_highest_is_one_of_those_that_were_compared(studied: Studied) -> None:
    best = max(
        (one for one in studied.findings.scores if one.estimate),
        key=lambda one: one.estimate.value if one.estimate else 0,
    )
    assert best.estimate
    stranger = replace(best, point="stranger", estimate=replace(best.estimate, value=1.0))
    with_stranger = replace(studied, findings=replace(studied.findings, scores=(*studied.findings.scores, stranger)))
    assert "stranger" not in answer(with_stranger)
    assert answer(with_stranger) == answer(studied)
