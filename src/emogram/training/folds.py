"""Several folds of one configuration: each a run of its own, and their test parts pooled into one result."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from emogram import processors, splits
from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, EmogramError, TrainingError
from emogram.evaluation.predictions import pool, read_predictions, write_predictions
from emogram.evaluation.summary import summarise
from emogram.splits.catalogue import no_such_fold
from emogram.training.configuration import Configuration
from emogram.training.material import prepare
from emogram.training.pictures import draw_scores
from emogram.training.processes import each_in_a_process
from emogram.training.run import Say, train
from emogram.training.run_folder import METRICS, is_free, owner, require_own, write_json


def train_folds(
    configuration: Configuration,
    folder: Path,
    clips: Sequence[Clip],
    *,
    folds: Sequence[int] | None = None,
    jobs: int = 1,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Train and test folds, then pool the predictions of their test parts.

    Each fold is a run in ``fold-<n>``; ``predictions-test.csv`` and ``metrics.json`` beside them hold all of them.
    Where one fails, the others are finished before its error is raised.

    Args:
        configuration: of every fold; its own ``split.fold`` is not used.
        folder: for all folds.
        clips: to split.
        folds: which; all where None.
        jobs: how many at a time, each in a process with its share of the processors.
        say: told what happens.

    Returns:
        The content of ``metrics.json``.

    Raises:
        ConfigurationError: a fold that the split does not have, or one named twice.
        TrainingError: the folder holds something else, and nothing in it was touched; or a fold failed.
    """
    count = splits.n_folds(clips, configuration.split.name, folds=configuration.split.folds)
    chosen = list(range(1, count + 1)) if folds is None else list(folds)
    _check_chosen(chosen, configuration.split.name, count)
    _require_own_folds(configuration, folder, clips, count)
    runs = {fold: folder / f"fold-{fold}" for fold in chosen}
    variants = {fold: of_fold(configuration, fold, jobs=jobs) for fold in chosen}
    results = _train_all(variants, runs, clips, jobs=jobs, say=say)
    test = pool([read_predictions(runs[fold] / "predictions-test.csv") for fold in chosen])
    write_predictions(folder / "predictions-test.csv", test)
    metrics = _pooled(configuration, [results[fold] for fold in chosen], chosen)
    metrics["test"] = summarise(test)
    draw_scores(folder, metrics, test)
    write_json(folder / METRICS, metrics)
    return metrics


def of_fold(configuration: Configuration, fold: int, *, jobs: int = 1) -> Configuration:
    """The configuration of one fold, with its share of the processors."""
    split = configuration.split.model_copy(update={"fold": fold})
    threads = configuration.runtime.threads or max(1, processors.count() // jobs)
    runtime = configuration.runtime.model_copy(update={"threads": threads})
    return configuration.model_copy(update={"split": split, "runtime": runtime})


def _check_chosen(chosen: Sequence[int], split: str, count: int) -> None:
    for position, fold in enumerate(chosen):
        if not 1 <= fold <= count:
            raise ConfigurationError(f"folds: {no_such_fold(split, fold, count)}")
        if fold in chosen[:position]:
            raise ConfigurationError(f"folds: fold {fold} is named twice; name it once")
    if not chosen:
        raise ConfigurationError(f"folds: none named; split '{split}' has folds 1 to {count}")


def _require_own_folds(configuration: Configuration, folder: Path, clips: Sequence[Clip], count: int) -> None:
    """Make sure that whatever a folder holds is folds of this configuration, whether they are to be trained or not."""
    if owner(folder) is not None:
        raise TrainingError(f"{folder}: holds a single run; choose another folder for folds")
    if is_free(folder):
        return
    present = sorted(path for path in folder.glob("fold-*") if path.is_dir())
    if not present:
        raise TrainingError(f"{folder}: is not empty and holds no folds; choose another folder")
    known = {folder / f"fold-{fold}": fold for fold in range(1, count + 1)}
    for run in present:
        if run not in known:
            raise TrainingError(f"{run}: is no fold of split '{configuration.split.name}'; choose another folder")
        variant = of_fold(configuration, known[run])
        require_own(run, prepare(variant, clips).identity(variant))


def _train_all(
    variants: Mapping[int, Configuration], runs: Mapping[int, Path], clips: Sequence[Clip], *, jobs: int, say: Say
) -> dict[int, dict[str, Any]]:
    """Metrics of each fold, if none failed."""
    results: dict[int, dict[str, Any]] = {}
    errors: dict[int, EmogramError] = {}
    with closing(_outcomes(variants, runs, clips, jobs=jobs, say=say)) as outcomes:
        for fold, outcome in outcomes:
            if isinstance(outcome, ConfigurationError):  # no other fold would do better
                raise outcome
            if isinstance(outcome, EmogramError):
                errors[fold] = outcome
                say(f"fold {fold}: failed: {outcome}")
            else:
                results[fold] = outcome
                accuracy = outcome["test"]["metrics"]["accuracy"]["value"]
                say(f"fold {fold}: accuracy {100 * accuracy:.1f} % on its test part")
    if errors:
        raise _failure(errors)
    return results


def _outcomes(
    variants: Mapping[int, Configuration], runs: Mapping[int, Path], clips: Sequence[Clip], *, jobs: int, say: Say
) -> Generator[tuple[int, dict[str, Any] | EmogramError], None, None]:
    """Metrics or the error of each fold, as they come."""
    if jobs > 1:
        say(f"{len(variants)} folds, {jobs} at a time; {runs[min(runs)] / 'history.csv'} and its like tell how far")
        yield from each_in_a_process(
            _train_quietly, {fold: (variants[fold], runs[fold], clips) for fold in variants}, jobs=jobs
        )
        return
    for fold, variant in variants.items():
        outcome: dict[str, Any] | EmogramError
        try:
            outcome = train(variant, runs[fold], clips=clips, say=say)
        except EmogramError as error:
            outcome = error
        yield fold, outcome


def _train_quietly(configuration: Configuration, folder: Path, clips: Sequence[Clip]) -> dict[str, Any]:
    return train(configuration, folder, clips=clips)


def _failure(errors: dict[int, EmogramError]) -> TrainingError:
    first = min(errors)
    if len(errors) == 1:
        return TrainingError(f"fold {first}: {errors[first]}")
    failed = ", ".join(str(fold) for fold in sorted(errors))
    return TrainingError(f"folds {failed} failed; fold {first}: {errors[first]}")


def _pooled(configuration: Configuration, results: Sequence[dict[str, Any]], folds: Sequence[int]) -> dict[str, Any]:
    """What the folds share, and a row for each."""
    shared = {name: results[0][name] for name in ("corpora", "emotions", "parameters", "multiply_adds")}
    rows = [
        {
            "fold": fold,
            "key": result["key"],
            "clips": result["sizes"]["test"],
            "accuracy": result["test"]["metrics"]["accuracy"]["value"],
            "uar": result["test"]["metrics"]["uar"]["value"],
            "epochs": result["epochs"],
            "best_epoch": result["best_epoch"],
            "fit_seconds": result["fit_seconds"],
        }
        for fold, result in zip(folds, results, strict=True)
    ]
    return {
        "name": configuration.name,
        "split": {**results[0]["split"], "fold": None},
        **shared,
        "notes": sorted({note for result in results for note in result["notes"]}),
        "configuration": {"name": configuration.name, **configuration.determinants()},
        "folds": rows,
        "mean_accuracy": sum(row["accuracy"] for row in rows) / len(rows),
        "mean_uar": sum(row["uar"] for row in rows) / len(rows),
    }
