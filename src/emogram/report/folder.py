"""What a finished run left in its folder, read for the report. Only the scores and the test predictions must be there."""

import base64
import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emogram.corpora.clip import Clip, read_manifest
from emogram.errors import TrainingError
from emogram.evaluation.metrics import Predictions, pool, read_predictions
from emogram.splits import PARTS, Split

MAX_FIGURE_BYTES = 8 << 20
IMAGE_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Run:
    """One finished run.

    Attributes:
        folder: where it lies.
        metrics: content of ``metrics.json``.
        predictions: of the test part.
        split: the clips in their parts as the manifest has them, or None without a manifest.
        history: columns of ``history.csv`` by name; empty without.
        configuration: text of ``configuration.yaml``, or empty.
        environment: content of ``environment.json``, or empty.
    """

    folder: Path
    metrics: Mapping[str, Any]
    predictions: Predictions
    split: Split | None = None
    history: Mapping[str, list[float]] = field(default_factory=dict)
    configuration: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the run is called."""
        return str(self.metrics.get("name") or self.folder.resolve().name)


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        TrainingError: the run is not finished, or ``metrics.json`` or another file is damaged.
        CorpusError: the predictions or the manifest cannot be read.
    """
    metrics = read_metrics(folder)
    manifest, configuration = folder / "manifest.csv", folder / "configuration.yaml"
    return Run(
        folder=folder,
        metrics=metrics,
        predictions=read_predictions(folder / "predictions-test.csv"),
        split=_split(manifest, _split_name(metrics)) if manifest.is_file() else None,
        history=_history(folder / "history.csv"),
        configuration=_text(configuration) if configuration.is_file() else "",
        environment=_mapping(folder / "environment.json") if (folder / "environment.json").is_file() else {},
    )


def read_folds(folder: Path, metrics: Mapping[str, Any]) -> list[Run]:
    """Read the runs in ``fold-1``, ``fold-2`` … of a folder, in the order of their numbers.

    Args:
        folder: their parent.
        metrics: its ``metrics.json``. Where ``folds`` in it lists which were pooled, others are left alone.

    Raises:
        TrainingError: there are none, or one is not finished.
    """
    listed = metrics.get("folds")
    pooled_ones = {row.get("fold") for row in listed if isinstance(row, Mapping)} if isinstance(listed, list) else set()
    found = ((path, path.name.removeprefix("fold-")) for path in folder.glob("fold-*") if path.is_dir())
    numbered = {int(number): path for path, number in found if number.isdecimal()}
    chosen = sorted(number for number in numbered if number in pooled_ones or not pooled_ones)
    if not chosen:
        raise TrainingError(f"{folder}: no folders fold-1, fold-2 …; give the folder of a run over folds")
    return [read_run(numbered[number]) for number in chosen]


def pooled(folder: Path, folds: list[Run]) -> Predictions:
    """The test predictions of all folds together: ``predictions-test.csv`` at the top where it exists."""
    top = folder / "predictions-test.csv"
    return read_predictions(top) if top.is_file() else pool([run.predictions for run in folds])


def read_metrics(folder: Path) -> Mapping[str, Any]:
    """The content of ``metrics.json``, which is written last: that it exists means that the run is finished.

    Raises:
        TrainingError: it is missing or damaged.
    """
    path = folder / "metrics.json"
    if not path.is_file():
        raise TrainingError(f"{folder}: no metrics.json, so this is no finished run; run the same training again")
    return _mapping(path)


def figure(folder: Path, name: str) -> str:
    """A figure as a data address, SVG before PNG; empty where there is none or it is too large for a page."""
    for suffix, kind in sorted(IMAGE_TYPES.items(), reverse=True):
        path = folder / "figures" / (name + suffix)
        if path.is_file() and path.stat().st_size <= MAX_FIGURE_BYTES:
            return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    return ""


def files(folder: Path) -> list[str]:
    """The names of the files of a run that a reader may want, as paths within its folder; figures as SVG where they are."""
    wanted = ["model.onnx", "metrics.json", "manifest.csv", "history.csv", "configuration.yaml", "environment.json"]
    found = [name for name in wanted if (folder / name).is_file()]
    found += sorted(path.name for path in folder.glob("predictions-*.csv"))
    figures = {path.stem: path.name for path in sorted((folder / "figures").glob("*")) if path.suffix in IMAGE_TYPES}
    return found + [f"figures/{name}" for name in figures.values()]


def _split_name(metrics: Mapping[str, Any]) -> str:
    split = metrics.get("split", "")
    return str(split.get("name", "") if isinstance(split, Mapping) else split)


def _split(manifest: Path, name: str) -> Split:
    """The split as the manifest shows it: what is disjoint is found out, not believed."""
    clips = read_manifest(manifest)
    with manifest.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        placed = [row.get("part") or "" for row in csv.DictReader(file)]
    parts: dict[str, tuple[Clip, ...]] = {
        part: tuple(clip for clip, place in zip(clips, placed, strict=True) if place == part) for part in PARTS
    }
    train, validation, test = (_speakers(parts[part]) for part in PARTS)
    return Split(
        name=name,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        speaker_disjoint="" not in train | validation | test and not test & (train | validation),
        validation_by_clip=bool(train & validation),
    )


def _speakers(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.speaker for clip in clips}


def _history(path: Path) -> dict[str, list[float]]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))
    return {name: [_number(row.get(name)) for row in rows] for name in (rows[0] if rows else {}) if name}


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: cannot be read ({error}); run the same training again") from error


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise TrainingError(
            f"{path}: damaged, it is not valid JSON; delete it and run the same training again"
        ) from error
    if not isinstance(value, dict):
        raise TrainingError(f"{path}: damaged, it does not hold fields; delete it and run the same training again")
    return value
