"""A study's results written down: tidy table, findings, figure; and what of it goes into a repository."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emogram.errors import TrainingError
from emogram.evaluation.figures import Marked, intervals, save
from emogram.evaluation.metrics import METRICS, Predictions, higher_is_better
from emogram.studies import tidy
from emogram.studies.conditions import CLEAN
from emogram.studies.findings import Finding, Findings, Score, find, form
from emogram.studies.inference import Difference, Estimate
from emogram.studies.plan import PLAN, Plan, read_plan
from emogram.studies.store import Store
from emogram.studies.study import BASE
from emogram.training.run_folder import read_json, write_json
from emogram.writing import whole

TABLE, FINDINGS, PREDICTIONS, FIGURE = "table.csv", "findings.json", "predictions.npz", "scores"
_STEPS = 65_535


def write_results(plan: Plan, store: Store) -> Findings:
    """Write ``table.csv``, ``findings.json`` and the figure ``scores`` into the study's folder, from the runs done."""
    folder = store.study(plan.study.name)
    tidy.write_csv(folder / TABLE, tidy.rows(plan, store))
    findings = find(plan, store)
    write_json(folder / FINDINGS, findings.to_dict())
    draw(findings, folder)
    return findings


def read_findings(path: Path) -> Findings:
    """Read what `write_results` wrote as ``findings.json``.

    Raises:
        TrainingError: missing, damaged or of another version.
    """
    remedy = "export the study again: emogram study export DIR/STUDY"
    if not path.exists():
        raise TrainingError(f"{path}: there is none; {remedy}")
    content = read_json(path, remedy=remedy)
    try:
        scores = _scores(content["scores"])
        comparisons = [
            Finding(**(row | {"difference": _difference(row["difference"])})) for row in content["comparisons"]
        ]
        groups = _scores(content.get("groups", []))
        return Findings(**(content | {"scores": scores, "comparisons": tuple(comparisons), "groups": groups}))
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{path}: damaged or of another version; {remedy}") from error


def _scores(stored: list[dict[str, Any]]) -> tuple[Score, ...]:
    return tuple(Score(**(row | {"estimate": _estimate(row["estimate"])})) for row in stored)


def _estimate(stored: dict[str, Any] | None) -> Estimate | None:
    return None if stored is None else Estimate(**stored)


def _difference(stored: dict[str, Any] | None) -> Difference | None:
    return None if stored is None else Difference(**(stored | {"estimate": Estimate(**stored["estimate"])}))


def draw(findings: Findings, folder: Path) -> list[Path]:
    """Draw the scores with intervals under each condition, as SVG and PNG; nothing where none is scored."""
    written: list[Path] = []
    verdicts = {(each.point, each.condition): each.verdict for each in findings.comparisons if each.against == BASE}
    for number, label in enumerate(dict.fromkeys(score.condition for score in findings.scores)):
        marked = [
            Marked(
                name=score.point,
                value=score.estimate.value,
                low=score.estimate.low,
                high=score.estimate.high,
                is_base=score.point == BASE,
                verdict=verdicts.get((score.point, label), ""),
            )
            for score in findings.scores
            if score.condition == label and score.estimate is not None
        ]
        if not marked:
            continue
        percent = higher_is_better(findings.outcome)
        axis = f"{METRICS[findings.outcome]}{' in %' if percent else ''}, with 95 % intervals"
        under = "" if label == CLEAN else f" ({label})"
        figure = intervals(marked, label=axis, title=findings.question + under, scale=100 if percent else 1)
        written += save(figure, folder / (FIGURE if label == CLEAN else f"{FIGURE}-{number}"))
    return written


def describe(findings: Findings) -> str:
    """Scores and sentences as text for a terminal."""
    lines = [findings.question, ""]
    width = max(len(score.point) for score in findings.scores)
    under = max(len(score.condition) for score in findings.scores)
    for score in findings.scores:
        shown = score.note or "not finished"
        if score.estimate is not None:
            found = score.estimate
            shown = form(findings.outcome, found.value).rjust(7)
            if found.low is not None and found.high is not None:
                shown += f"  {form(findings.outcome, found.low)} to {form(findings.outcome, found.high)}"
            if found.seed_sd is not None:
                shown += f"  (between seeds ±{form(findings.outcome, found.seed_sd)})"
            shown += f"  {score.note}" if score.note else ""
        lines.append(f"{score.point:{width}}  {score.condition:{under}}  {shown}".rstrip())
    lines.insert(2, f"{'point':{width}}  {'':{under}}  {METRICS[findings.outcome]}, 95 % interval over speakers")
    return "\n".join([*lines, "", *(finding.sentence for finding in findings.comparisons)]) + "\n"


def export(folder: Path, target: Path) -> list[Path]:
    """Copy what is small of a study's folder, with its predictions packed into one file.

    ``plan.json``, ``table.csv``, ``findings.json``, the figures as SVG and ``predictions.npz``: from the first and the last the
    findings can be made again without training (`Archive`). Probabilities are kept in steps of 1/65535, so accuracy,
    recall and F1 come out as they were, and log-loss to four digits.

    Args:
        folder: of the study, in its store.
        target: made when needed; files of an earlier export are replaced.

    Raises:
        TrainingError: no study, or one without a finished run.
    """
    plan = read_plan(folder)
    store = Store(folder.parent)
    arrays, emotions = _pack(plan, store)
    if not emotions:
        raise TrainingError(f"{folder}: none of its runs is done; run the study first")
    write_results(plan, store)
    target.mkdir(parents=True, exist_ok=True)
    names = [PLAN, TABLE, FINDINGS, *(path.name for path in sorted(folder.glob(f"{FIGURE}*.svg")))]
    for name in names:
        shutil.copyfile(folder / name, target / name)
    with whole(target / PREDICTIONS) as partial, partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    write_json(target / "emotions.json", emotions)
    return [target / name for name in (*names, PREDICTIONS, "emotions.json")]


def _pack(plan: Plan, store: Store) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, list[str]]]:
    """Arrays ``<key>/<stem>/p`` (probabilities) and ``/i`` (places among the clips), and the clips; emotions of each."""
    clips: dict[tuple[str, str, str, str, str], int] = {}
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    emotions: dict[str, list[str]] = {}
    for run in {run.key: run for run in plan.runs}.values():
        for stem in (CLEAN, *run.conditions.values()):
            answers = store.predictions(run.key, stem)
            if answers is None:
                continue
            truths = (answers.emotions[truth] for truth in answers.truth)
            facts = zip(answers.clip_ids, answers.corpora, answers.speakers, answers.sexes, truths, strict=True)
            places = [clips.setdefault(fact, len(clips)) for fact in facts]
            arrays[f"{run.key}/{stem}/i"] = np.array(places, dtype=np.uint32)
            arrays[f"{run.key}/{stem}/p"] = _coarse(answers)
            emotions[f"{run.key}/{stem}"] = list(answers.emotions)
    if clips:
        arrays["clips"] = np.array(list(clips), dtype=np.str_)
    return arrays, emotions


def _coarse(answers: Predictions) -> npt.NDArray[np.uint16]:
    """Probabilities in steps; of equals the predicted one stays ahead."""
    steps = np.round(answers.probabilities.astype(np.float64) * _STEPS).astype(np.uint16)
    rows = np.arange(len(answers))
    tied = steps.argmax(axis=1) != answers.predicted
    steps[rows[tied], answers.predicted[tied]] += 1
    return steps


class Archive:
    """Predictions that `export` packed, for `emogram.studies.findings.find`.

    Args:
        folder: that was exported to.

    Raises:
        TrainingError: a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.emotions = read_json(folder / "emotions.json", remedy="export the study again")
        try:
            with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
                self.arrays = dict(arrays)
        except (OSError, ValueError) as error:
            raise TrainingError(f"{folder / PREDICTIONS}: damaged or missing; export the study again") from error

    def predictions(self, key: str, stem: str) -> Predictions | None:
        """Of the test part of a run, clean or under a condition; None where there are none."""
        name = f"{key}/{stem}"
        if name not in self.emotions:
            return None
        emotions = tuple(self.emotions[name])
        clip_ids, corpora, speakers, sexes, truths = self.arrays["clips"][self.arrays[f"{name}/i"]].T.tolist()
        return Predictions(
            clip_ids=tuple(clip_ids),
            corpora=tuple(corpora),
            speakers=tuple(speakers),
            sexes=tuple(sexes),
            truth=np.array([emotions.index(truth) for truth in truths], dtype=np.int64),
            probabilities=(self.arrays[f"{name}/p"] / _STEPS).astype(np.float32),
            emotions=emotions,
        )
