"""Several folds of one configuration: each a run of its own, and their test parts pooled into one result."""

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from emogram import splits
from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError
from emogram.evaluation.predictions import pool, read_predictions, write_predictions
from emogram.evaluation.summary import summarise
from emogram.training.configuration import Configuration
from emogram.training.pictures import draw_scores
from emogram.training.run import METRICS, Say, train, write_json


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
        ConfigurationError: a fold that the split does not have.
    """
    count = splits.n_folds(clips, configuration.split.name, folds=configuration.split.folds)
    chosen = list(folds) if folds else list(range(1, count + 1))
    if not set(chosen) <= set(range(1, count + 1)):
        raise ConfigurationError(f"folds: split '{configuration.split.name}' has folds 1 to {count}")
    runs = {fold: folder / f"fold-{fold}" for fold in chosen}
    variants = {fold: of_fold(configuration, fold, jobs=jobs) for fold in chosen}
    if jobs == 1:
        results = {fold: train(variants[fold], runs[fold], clips=clips, say=say) for fold in chosen}
    else:
        results = _in_processes(variants, runs, clips, jobs=jobs, say=say)
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
    threads = configuration.runtime.threads or max(1, (os.cpu_count() or 1) // jobs)
    runtime = configuration.runtime.model_copy(update={"threads": threads})
    return configuration.model_copy(update={"split": split, "runtime": runtime})


def _in_processes(
    variants: dict[int, Configuration], runs: dict[int, Path], clips: Sequence[Clip], *, jobs: int, say: Say
) -> dict[int, dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    results: dict[int, dict[str, Any]] = {}
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as executor:
        futures = {executor.submit(train, variants[fold], runs[fold], clips=clips): fold for fold in variants}
        for future in as_completed(futures):
            fold = futures[future]
            results[fold] = future.result()
            accuracy = results[fold]["test"]["metrics"]["accuracy"]["value"]
            say(f"fold {fold}: accuracy {100 * accuracy:.1f} % on its test part")
    return results


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        while parent is not None and parent.is_alive():
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


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
        "configuration": json.loads(configuration.model_dump_json(exclude={"corpora", "runtime"})),
        "folds": rows,
        "mean_accuracy": sum(row["accuracy"] for row in rows) / len(rows),
        "mean_uar": sum(row["uar"] for row in rows) / len(rows),
    }
