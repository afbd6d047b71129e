"""`report.html`: one page, complete in itself, from a run folder. Nothing on it is typed by hand or loaded from elsewhere."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

import emogram
from emogram.evaluation.calibration import reliability_table
from emogram.evaluation.metrics import Predictions
from emogram.evaluation.statistics import Estimates, estimate
from emogram.report import charts, results
from emogram.report.folder import Run, figure, files, pooled, read_folds, read_metrics, read_run
from emogram.report.wording import audit_note, calibration_note, headline, interval_note, notices, speakers_note
from emogram.splits import Split, audit
from emogram.writing import whole

FILE_NAME = "report.html"
COMMANDS = ("emogram train configuration.yaml", "emogram predict --model model.onnx RECORDING.wav")


def write_report(run_folder: Path) -> Path:
    """Write ``report.html`` into the folder of a finished run.

    Args:
        run_folder: as training leaves it. Must hold ``metrics.json`` and ``predictions-test.csv``; what else is missing
            (manifest, history, configuration, environment, figures) is left out of the page.

    Returns:
        The path of the page.

    Raises:
        TrainingError: the run is not finished, or a file is damaged.
        CorpusError: the predictions or the manifest cannot be read.
    """
    run = read_run(run_folder)
    splits = [run.split] if run.split else []
    content = _result(run.name, run.metrics, run.predictions, splits)
    content |= _learning(run)
    content |= {
        "spectrograms": figure(run_folder, "spectrograms"),
        "explanation": figure(run_folder, "explanation"),
        "parts": _parts(run.split, run.predictions.emotions) if run.split else (),
        "configuration": run.configuration,
        "environment": _flat(run.environment),
        "commands": COMMANDS if run.configuration else (),
        "files": files(run_folder),
    }
    return _write(run_folder, content)


def write_folds_report(folder: Path) -> Path:
    """Write ``report.html`` for a run over folds, from ``metrics.json`` and the runs in ``fold-1``, ``fold-2`` ….

    The scores are over the test parts of all folds together, with intervals over all their speakers.

    Args:
        folder: the parent of the folds. Where it holds ``predictions-test.csv`` that is taken for the pooled predictions.

    Returns:
        The path of the page.

    Raises:
        TrainingError: the folds are not finished, or a file is damaged.
        ConfigurationError: a clip is tested in two folds, so that they cannot be pooled.
        CorpusError: predictions or a manifest cannot be read.
    """
    metrics = read_metrics(folder)
    runs = read_folds(folder, metrics)
    splits = [run.split for run in runs if run.split]
    content = _result(str(metrics.get("name") or folder.resolve().name), metrics, pooled(folder, runs), splits)
    content |= {
        "folds": [_fold(run, folder) for run in runs],
        "learning": _fold_curves(runs),
        "training_facts": (),
        "spectrograms": figure(folder, "spectrograms") or figure(runs[0].folder, "spectrograms"),
        "explanation": figure(runs[0].folder, "explanation"),
        "parts": (),
        "configuration": runs[0].configuration,
        "environment": _flat(runs[0].environment),
        "commands": (f"emogram train {runs[0].folder.name}/configuration.yaml --folds all",)
        if runs[0].configuration
        else (),
        "files": files(folder),
    }
    return _write(folder, content)


def _result(
    name: str, metrics: Mapping[str, Any], predictions: Predictions, splits: Sequence[Split]
) -> dict[str, object]:
    estimates = estimate(predictions)
    speakers = results.speakers(predictions)
    reliability = [row for row in reliability_table(predictions) if row.clips]
    corpora = tuple(dict.fromkeys(predictions.corpora))
    return {
        "version": emogram.__version__,
        "name": name,
        "subtitle": _subtitle(corpora, metrics),
        "corpora": " and ".join(corpora),
        "audited": bool(splits),
        "notes": [note for note in _list(metrics.get("notes")) if isinstance(note, str) and note],
        "audit_note": audit_note(splits),
        "leaks": [leak for split in splits for leak in audit(split)],
        "notices": notices(corpora, splits),
        "headline": headline(predictions, splits),
        "interval_note": interval_note(estimates),
        "emotions": predictions.emotions,
        "scores": results.headline(estimates, len(predictions.emotions)),
        "other_scores": results.others(estimates),
        "matrix": results.matrix(predictions),
        "confusions": results.confusions(predictions),
        "emotion_rows": results.emotions(predictions, estimates),
        "mistakes": results.mistakes(predictions),
        "speakers": speakers,
        "speakers_note": speakers_note(speakers),
        "sexes": results.sexes(predictions),
        "reliability": charts.reliability(
            [row.clips for row in reliability],
            [(row.accuracy or 0.0) for row in reliability],
            [(row.confidence or 0.0) for row in reliability],
        ),
        "calibration_note": calibration_note(estimates, metrics.get("temperature")),
        "identity": _identity(metrics, estimates),
        "split_caption": f"Split: {_split_name(metrics) or 'unknown'}",
        "folds": (),
    }


def _learning(run: Run) -> dict[str, object]:
    """Curves over epochs, and what training took."""
    history, best = run.history, _finite(run.metrics.get("best_epoch"))
    epochs = history.get("epoch", [])
    loss = {"training": "train_loss", "validation": "validation_loss"}
    score = {
        "training accuracy": "train_accuracy",
        "validation accuracy": "validation_accuracy",
        "validation UAR": "validation_uar",
    }
    drawn = [
        charts.curves(title, epochs, _columns(history, columns), percent=percent, best_epoch=best)
        for title, columns, percent in (("Loss", loss, False), ("Accuracy", score, True))
    ]
    facts = {
        "epochs": run.metrics.get("epochs") or len(epochs),
        "best epoch, by validation": run.metrics.get("best_epoch"),
        "time to train": _duration(run.metrics.get("fit_seconds")),
        "clips a second": _mean(history.get("clips_per_s", [])),
        "parameters": _thousands(run.metrics.get("parameters")),
        "multiply-adds a training crop": _thousands(run.metrics.get("multiply_adds")),
    }
    return {
        "learning": [drawing for drawing in drawn if drawing],
        "training_facts": [(name, value) for name, value in facts.items() if value],
    }


def _fold_curves(runs: Sequence[Run]) -> list[charts.Chart]:
    """Validation loss and recall of every fold, over the epochs that the longest took."""
    longest = max(len(run.history.get("epoch", [])) for run in runs)
    epochs = [float(epoch) for epoch in range(1, longest + 1)]
    drawn = []
    for title, column, percent in (("loss", "validation_loss", False), ("UAR", "validation_uar", True)):
        columns = {run.folder.name: run.history.get(column, []) for run in runs}
        series = {name: [*values, *[math.nan] * (longest - len(values))] for name, values in columns.items()}
        drawn.append(charts.curves(f"Validation {title} of each fold", epochs, series, percent=percent))
    return [drawing for drawing in drawn if drawing]


def _columns(history: Mapping[str, list[float]], names: Mapping[str, str]) -> dict[str, list[float]]:
    return {shown: history[column] for shown, column in names.items() if column in history}


def _fold(run: Run, folder: Path) -> dict[str, object]:
    estimates = estimate(run.predictions, replicates=1)
    page = run.folder / FILE_NAME
    return {
        "name": run.folder.name,
        "link": page.relative_to(folder).as_posix() if page.is_file() else "",
        "clips": len(run.predictions),
        "speakers": len({speaker for speaker in run.predictions.speakers if speaker}),
        "accuracy": results.plain("accuracy", estimates),
        "uar": results.plain("uar", estimates),
        "best_epoch": run.metrics.get("best_epoch", ""),
    }


def _parts(split: Split, emotions: Sequence[str]) -> list[dict[str, object]]:
    return [
        {
            "name": part,
            "clips": len(clips),
            "speakers": len({clip.speaker for clip in clips if clip.speaker}) or "?",
            "minutes": f"{math.fsum(clip.duration_s for clip in clips) / 60:.1f}",
            "emotions": [sum(clip.emotion == emotion for clip in clips) for emotion in emotions],
        }
        for part, clips in split.parts().items()
    ]


def _subtitle(corpora: Sequence[str], metrics: Mapping[str, Any]) -> str:
    pieces = [f"Corpus: {', '.join(corpora)}"]
    if metrics.get("split"):
        pieces.append(f"split: {_split_name(metrics)}")
    if metrics.get("parameters"):
        pieces.append(f"{_thousands(metrics['parameters'])} parameters")
    return " · ".join(pieces)


def _identity(metrics: Mapping[str, Any], estimates: Estimates) -> list[tuple[str, object]]:
    facts = {
        "identity of the run": metrics.get("key"),
        "temperature, fitted on validation": metrics.get("temperature"),
        "speakers tested": estimates.n_speakers,
    }
    return [(name, f"{value:.3f}" if isinstance(value, float) else value) for name, value in facts.items() if value]


def _split_name(metrics: Mapping[str, Any]) -> str:
    """The split and, where it has several, the fold: ``ravdess-emobox, fold 2``."""
    split = metrics.get("split", "")
    if not isinstance(split, Mapping):
        return str(split)
    name, fold = str(split.get("name", "")), split.get("fold")
    return f"{name}, fold {fold}" if fold and name not in {"speaker", "stratified"} else name


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Nested fields as ``outer inner`` and value."""
    pairs: list[tuple[str, object]] = []
    for name, value in values.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{label} ")
        elif value not in (None, "", []):
            pairs.append((label, ", ".join(map(str, value)) if isinstance(value, list) else value))
    return pairs


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _mean(values: Sequence[float]) -> str:
    finite = [value for value in values if math.isfinite(value)]
    return f"{math.fsum(finite) / len(finite):.0f}" if finite else ""


def _duration(seconds: object) -> str:
    if (length := _finite(seconds)) is None:
        return ""
    if length < 90:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 5400 else f"{length / 3600:.1f} h"


def _thousands(number: object) -> str:
    """A count in a unit that reads well: ``1.2 million``."""
    if (count := _finite(number)) is None:
        return ""
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:,.0f}".replace(",", "\u202f")


def _write(folder: Path, content: Mapping[str, object]) -> Path:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emogram.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": results.shown,
        "span": results.span,
        "percent": lambda share: "0%" if share is None else f"{min(1.0, max(0.0, share)):.2%}",
        "place": lambda position: f"{position:.1f}",
    }
    page = environment.get_template("report.html.jinja").render(content)
    path = folder / FILE_NAME
    with whole(path) as partial:
        partial.write_text(page, encoding="utf-8", errors="backslashreplace")  # names of files that are no UTF-8
    return path
