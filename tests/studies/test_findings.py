"""Sentences about made-up predictions whose truth is known; the table, the export and the figure of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from emogram.errors import MissingExtraError, TrainingError
from emogram.evaluation import holm
from emogram.studies import tidy
from emogram.studies.findings import Findings, find
from emogram.studies.plan import Plan, read_plan
from emogram.studies.results import Archive, describe, export, read_findings, write_results
from emogram.studies.store import Store
from emogram.studies.study import Study
from emogram.training.material import prepare
from tests.studies import made_up

SKILL = {"base": 0.4, "good": 0.95, "odd": 0.4}
BUDGET = {"words": "nothing that takes long", "epochs": 1, "runs": 30}
THREE_SEEDS = made_up.study(seeds=[0, 1, 2], budget=BUDGET)


def filled(folder: Path, skill: dict[str, float], study: Study | None = None) -> tuple[Plan, Store]:
    """A store in which a point has about that part of each speaker's clips right; equal points have equal clips right."""
    plan, tasks = made_up.plan(study or THREE_SEEDS, n_speakers=12)
    store = Store(folder)
    for task in tasks:
        tested = list(prepare(task.configuration, made_up.clips(12)).split.test)
        rng = np.random.default_rng([task.run.fold, task.run.seed])
        luck = rng.random(len(tested))
        right = {clip.clip_id: bool(value < skill[task.run.point]) for clip, value in zip(tested, luck, strict=True)}
        made_up.write_run(store.run(task.run.key), task.run.key, made_up.answers(tested, right))
    plan.write(store)
    return plan, store


@pytest.fixture(scope="module")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    return filled(tmp_path_factory.mktemp("store"), SKILL)


@pytest.fixture(scope="module")
def findings(study_of: tuple[Plan, Store]) -> Findings:
    return find(*study_of)


def test_better_and_no_evidence_are_told_apart(findings: Findings) -> None:
    good, odd = findings.comparisons
    assert (good.point, good.verdict) == ("good", "better")
    assert good.sentence.startswith("good is better than base: unweighted average recall ")
    assert "12 speakers, 3 seeds; p " in good.sentence
    assert good.sentence.endswith("after Holm's correction of 2 comparisons).")
    assert (odd.point, odd.verdict, odd.holm_p) == ("odd", "no evidence", 1.0)
    assert odd.sentence.startswith("No evidence that odd and base differ: ")


def test_losses_are_better_when_lower(tmp_path: Path) -> None:
    skill = SKILL | {"odd": 0.05}
    good, odd = find(
        *filled(tmp_path, skill, made_up.study(outcome="log_loss", seeds=[0, 1, 2], budget=BUDGET))
    ).comparisons
    assert good.difference is not None
    assert good.difference.estimate.value < 0
    assert (good.verdict, odd.verdict) == ("better", "worse")


def test_p_values_are_corrected_for_all_that_was_planned(study_of: tuple[Plan, Store], findings: Findings) -> None:
    raw = [each.difference.p_value for each in findings.comparisons if each.difference]
    assert tuple(each.holm_p for each in findings.comparisons) == holm([p for p in raw if p is not None])
    assert findings.comparisons[0].holm_p == pytest.approx(2 * (raw[0] or 0))


def test_a_difference_that_the_correction_takes_away(tmp_path: Path) -> None:
    """Twelve points like the base and one a little better: alone it would be called so, among twelve it is not."""
    names = [f"p{number}" for number in range(12)]
    axes = [
        {
            "name": "a",
            "points": [{"name": n, "change": {"network.dropout": 0.4 + at / 100}} for at, n in enumerate(names)],
        }
    ]
    study = made_up.study(
        axes=axes, folds=[1, 2], seeds=[0], budget={"words": "no time at all", "epochs": 1, "runs": 30}
    )
    found = find(*filled(tmp_path, {"base": 0.5, **dict.fromkeys(names, 0.5), "p0": 0.52}, study)).comparisons[0]
    assert found.difference is not None
    assert found.difference.p_value is not None
    assert found.difference.p_value < 0.05 < (found.holm_p or 0)
    assert found.verdict == "no evidence"


def test_points_with_the_same_runs_are_the_same(tmp_path: Path) -> None:
    axes = [{"name": "a", "field": "network.dropout", "values": [0.1, 0.5]}]  # the first is the default of cnn-tiny
    plan, store = filled(tmp_path, {"base": 0.5, "dropout=0.1": 0.5, "dropout=0.5": 0.9}, made_up.study(axes=axes))
    same, other = find(plan, store).comparisons
    assert same.verdict == "the same"
    assert other.n_comparisons == 1


def test_an_axis_has_a_base_of_its_own(tmp_path: Path) -> None:
    axes = [
        {"name": "a", "field": "network.dropout", "values": [0.2, 0.5]},
        {"name": "b", "field": "fit.label_smoothing", "values": [0.2, 0.3]},
    ]
    comparisons = [{"axes": ["a"]}, {"axes": ["b"], "points": ["dropout=0.5"], "against": "label_smoothing=0.2"}]
    study = made_up.study(axes=axes, comparisons=comparisons, budget=BUDGET)
    names = ("base", "dropout=0.2", "dropout=0.5", "label_smoothing=0.2", "label_smoothing=0.3")
    made = find(*filled(tmp_path, dict.fromkeys(names, 0.5), study)).comparisons
    assert [(each.point, each.against) for each in made] == [
        ("dropout=0.2", "base"),
        ("dropout=0.5", "base"),
        ("dropout=0.5", "label_smoothing=0.2"),
        ("label_smoothing=0.3", "label_smoothing=0.2"),
    ]


def test_unfinished_seeds_are_left_out_and_named(tmp_path: Path) -> None:
    plan, store = filled(tmp_path, SKILL)
    gone = next(run for run in plan.runs if run.point == "good" and run.seed == 1)
    (store.run(gone.key) / "predictions-test.csv").unlink()
    found = find(plan, store)
    score = next(score for score in found.scores if score.point == "good")
    assert score.note == "not finished: seed 1"
    assert score.estimate is not None
    assert score.estimate.n_seeds == 2
    assert "2 seeds" in found.comparisons[0].sentence


def test_a_study_without_runs_says_so(tmp_path: Path) -> None:
    plan, _ = made_up.plan()
    found = find(plan, Store(tmp_path))
    assert {each.verdict for each in found.comparisons} == {"cannot tell"}
    assert "not finished: seed 0, 1" in describe(found)


def test_the_table_has_a_row_a_run(study_of: tuple[Plan, Store], tmp_path: Path) -> None:
    plan, store = study_of
    table = tidy.rows(plan, store)
    assert len(table) == 18
    tidy.write_csv(tmp_path / "table.csv", table)
    with (tmp_path / "table.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert read[1]["axis: change"] == read[1]["point"] == "good"
    assert float(read[1]["uar"]) == table[1]["uar"]
    assert json.loads(tidy.to_json(table)) == table
    assert {"accuracy", "uar", "f1", "log_loss", "gap", "best_epoch", "seconds", "parameters", "key"} <= set(read[0])


def test_parquet_needs_its_extra_or_holds_the_same(study_of: tuple[Plan, Store], tmp_path: Path) -> None:
    table = tidy.rows(*study_of)
    try:
        from pyarrow import parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ModuleNotFoundError:
        with pytest.raises(MissingExtraError, match=r"emogram\[parquet\]"):
            tidy.write_parquet(tmp_path / "table.parquet", table)
        return
    tidy.write_parquet(tmp_path / "table.parquet", table)
    read = parquet.read_table(tmp_path / "table.parquet").to_pylist()
    assert [row["uar"] for row in read] == [row["uar"] for row in table]


def test_an_export_gives_the_findings_again(study_of: tuple[Plan, Store], tmp_path: Path, findings: Findings) -> None:
    _plan, store = study_of
    written = export(store.study("small"), tmp_path / "kept")
    assert {path.name for path in written} >= {"plan.json", "table.csv", "findings.json", "scores.svg"}
    assert read_findings(tmp_path / "kept" / "findings.json") == findings
    again = find(read_plan(tmp_path / "kept"), Archive(tmp_path / "kept"))
    assert [each.sentence for each in again.comparisons] == [each.sentence for each in findings.comparisons]
    before = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    export(store.study("small"), tmp_path / "kept")
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()} == before


def test_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no study"):
        export(tmp_path, tmp_path / "kept")
    plan, _ = made_up.plan()
    plan.write(Store(tmp_path))
    with pytest.raises(TrainingError, match="none of its runs is done"):
        export(tmp_path / "small", tmp_path / "kept")


def test_damaged_findings_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    for content in ("{", '{"scores": [], "comparisons": [{}]}'):
        path.write_text(content)
        with pytest.raises(
            TrainingError, match=r"findings\.json: damaged .*; export the study again: emogram study export"
        ):
            read_findings(path)


def test_results_are_written_into_the_studys_folder(study_of: tuple[Plan, Store]) -> None:
    plan, store = study_of
    text = describe(write_results(plan, store))
    names = {path.name for path in store.study("small").iterdir()}
    assert {"plan.json", "table.csv", "findings.json", "scores.png", "scores.svg"} <= names
    assert text.startswith("Does anything change?\n")
    assert "good is better than base" in text
