"""The tidy table: one row a run that a point needs, as CSV, Parquet or JSON."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emogram.errors import MissingExtraError
from emogram.evaluation.metrics import score
from emogram.studies.plan import Plan, Planned
from emogram.studies.store import Store
from emogram.training.run_folder import write_text
from emogram.writing import whole

_TESTED = ("accuracy", "uar", "f1", "log_loss")

Row = dict[str, str | int | float | None]


def rows(plan: Plan, store: Store) -> list[Row]:
    """One row for each point, fold and seed, runs that are not done included.

    Columns: ``study``, ``point``, ``fold``, ``seed``, ``axis: <name>`` for each axis, ``status`` (done, failed, open), metrics of the test
    part, of training and validation parts and their gap (accuracy of training minus validation, both on whole clips as
    they are by the weights that were kept), ``best_epoch``, ``epochs``, ``parameters``, ``multiply_adds``, ``seconds``
    of the fit, for each condition ``<label>: accuracy`` and ``<label>: uar``, ``error`` and ``key``.
    """
    found: dict[str, Row] = {}
    for run in plan.runs:
        if run.key not in found:
            found[run.key] = _measured(store, run)
    labels = [condition.label for condition in plan.study.conditions]
    columns = [f"{label}: {metric}" for label in labels for metric in ("accuracy", "uar")]
    table = []
    for run in plan.runs:
        place: Row = {"study": plan.study.name, "point": run.point, "fold": run.fold, "seed": run.seed}
        values = found[run.key]
        tested = {column: values.get(column) for column in columns}
        kept = {name: value for name, value in values.items() if name not in tested}
        factors: Row = {f"axis: {axis}": value for axis, value in plan.factors[run.point].items()}
        table.append({**place, **factors, **kept, **tested, "error": store.failure(run.key), "key": run.key})
    return table


def _measured(store: Store, run: Planned) -> Row:
    metrics = store.metrics(run.key)
    done = metrics is not None and not store.missing(run.key, run.conditions)
    status = "done" if done else "failed" if store.failure(run.key) is not None else "open"
    parts = {part: metrics[part]["metrics"] if metrics else {} for part in ("train", "validation", "test")}

    def value(part: str, metric: str) -> float | None:
        return float(parts[part][metric]["value"]) if metrics else None

    train, validation = value("train", "accuracy"), value("validation", "accuracy")
    row: Row = {"status": status, **{metric: value("test", metric) for metric in _TESTED}}
    row |= {
        "train_accuracy": train,
        "validation_accuracy": validation,
        "train_loss": value("train", "log_loss"),
        "validation_loss": value("validation", "log_loss"),
        "gap": None if train is None or validation is None else train - validation,
    }
    for name in ("best_epoch", "epochs", "parameters", "multiply_adds"):
        row[name] = metrics.get(name) if metrics else None
    row["seconds"] = metrics.get("fit_seconds") if metrics else None
    for label, stem in run.conditions.items():
        answers = store.predictions(run.key, stem)
        values = score(answers) if answers is not None else {}
        row |= {f"{label}: {metric}": values.get(metric) for metric in ("accuracy", "uar")}
    return row


def to_csv(table: Sequence[Row]) -> str:
    """The table as CSV; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]) if table else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def to_json(table: Sequence[Row]) -> str:
    """The table as a JSON list of objects."""
    return json.dumps(list(table), indent=1)


def write_parquet(path: Path, table: Sequence[Row]) -> None:
    """The table as a Parquet file.

    Raises:
        MissingExtraError: pyarrow is not installed, which is larger than all of recognition.
    """
    try:
        import pyarrow  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError("a Parquet table", "parquet") from error
    with whole(path) as partial:
        parquet.write_table(pyarrow.Table.from_pylist([_typed(row) for row in table]), partial)


def _typed(row: Row) -> dict[str, Any]:
    """Columns that may be empty in the first row would otherwise get no type."""
    return {name: float("nan") if value is None and name != "error" else value for name, value in row.items()}


def write_csv(path: Path, table: Sequence[Row]) -> None:
    """The table as a CSV file."""
    write_text(path, to_csv(table))
