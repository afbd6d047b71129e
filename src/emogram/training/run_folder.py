"""The run folder: whose it is, and its JSON files, which are there whole or not at all."""

import json
from pathlib import Path
from typing import Any

from emogram.errors import TrainingError
from emogram.writing import SUFFIX, whole

METRICS = "metrics.json"
"""Written last: that it exists means that the run is done."""

ENVIRONMENT = "environment.json"
"""Written first: whose folder it is."""


def owner(folder: Path) -> str | None:
    """The key of the run that a folder holds, or None where it holds no run.

    Raises:
        TrainingError: a damaged file, or one without a key.
    """
    path = folder / ENVIRONMENT
    if not path.exists():
        return None
    key = read_json(path, remedy="choose another folder").get("key")
    if not isinstance(key, str):
        raise TrainingError(f"{path}: does not say whose run this is; choose another folder")
    return key


def require_own(folder: Path, identity: str) -> None:
    """Make sure that a run may use a folder: it is new, empty, or that of the same run.

    Raises:
        TrainingError: it holds something else. Nothing in it was touched.
    """
    holder = owner(folder)
    if holder not in {None, identity}:
        raise TrainingError(f"{folder}: holds a run of another configuration or other clips; choose another folder")
    if holder is None and not is_free(folder):
        raise TrainingError(f"{folder}: is not empty and holds no run of its own; choose another folder")


def is_free(folder: Path) -> bool:
    """Whether a folder is not there yet, or empty but for what a killed run was about to write.

    Raises:
        TrainingError: it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder}: is a file; choose another folder")
    return not folder.exists() or all(path.name.endswith(SUFFIX) for path in folder.iterdir())


def finished(folder: Path, identity: str) -> dict[str, Any] | None:
    """The metrics of a run that is done, or None.

    Raises:
        TrainingError: they are damaged.
    """
    path = folder / METRICS
    metrics = read_json(path, remedy="delete it and train again") if path.exists() else {}
    return metrics if metrics.get("key") == identity else None


def read_json(path: Path, *, remedy: str) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        TrainingError: unreadable or damaged; tells the remedy.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise TrainingError(f"{path}: damaged ({reason}); {remedy}") from error
    if not isinstance(content, dict):
        raise TrainingError(f"{path}: damaged (it holds no fields); {remedy}")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file; a reader sees the old file or the new one, never a part."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file; a reader sees the old file or the new one, never a part."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
