"""Where runs are kept: ``runs/<key>/`` shared by all studies, and a folder for each study beside it.

A run's key says all that determines its result, so a run that is there is the run that is wanted, whichever study made it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emogram.errors import TrainingError
from emogram.evaluation.predictions import Predictions, read_predictions, write_predictions
from emogram.studies.conditions import CLEAN
from emogram.training.run_folder import METRICS, read_json, write_json

CONDITIONS = "conditions"
_COST = "cost.json"


@dataclass(frozen=True)
class Store:
    """The folder that studies share.

    Attributes:
        folder: holds ``runs/`` and a folder for each study.
    """

    folder: Path

    @property
    def runs(self) -> Path:
        """Holds the run folders, claims and failures."""
        return self.folder / "runs"

    def run(self, key: str) -> Path:
        """The folder of a run."""
        return self.runs / key

    def study(self, name: str) -> Path:
        """The folder of a study.

        Raises:
            TrainingError: the name is that of the runs.
        """
        if name == "runs":
            raise TrainingError("runs: no study can be called so, the store keeps its runs there; rename the file")
        return self.folder / name

    def is_done(self, key: str, conditions: dict[str, str]) -> bool:
        """Whether a run and its predictions under these conditions are there."""
        return (self.run(key) / METRICS).exists() and not self.missing(key, conditions)

    def missing(self, key: str, conditions: dict[str, str]) -> list[str]:
        """Labels of the conditions that a run has no predictions for yet."""
        return [label for label, stem in conditions.items() if not self.predictions_path(key, stem).exists()]

    def metrics(self, key: str) -> dict[str, Any] | None:
        """What a run found, or None where it is not done.

        Raises:
            TrainingError: damaged.
        """
        path = self.run(key) / METRICS
        return read_json(path, remedy=f"delete {self.run(key)} and run again") if path.exists() else None

    def predictions_path(self, key: str, stem: str) -> Path:
        """Where predictions of the test part lie: clean, or under the condition of that stem."""
        if stem == CLEAN:
            return self.run(key) / "predictions-test.csv"
        return self.run(key) / CONDITIONS / f"{stem}.csv"

    def predictions(self, key: str, stem: str) -> Predictions | None:
        """Predictions of the test part, or None where there are none.

        Raises:
            CorpusError: damaged.
        """
        path = self.predictions_path(key, stem)
        return read_predictions(path) if path.exists() else None

    def keep_predictions(self, key: str, stem: str, predictions: Predictions) -> None:
        """Write predictions under a condition; a reader sees all of them or none."""
        path = self.predictions_path(key, stem)
        path.parent.mkdir(exist_ok=True)
        write_predictions(path, predictions)

    def keep_cost(self, key: str, seconds: float) -> None:
        """Note what a run took that was done in one go."""
        write_json(self.run(key) / _COST, {"seconds": round(seconds, 1)})

    def seconds(self, key: str) -> float | None:
        """What a run took when it was done in one go, or None where that is not known."""
        try:
            return float(json.loads((self.run(key) / _COST).read_text(encoding="utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def failure(self, key: str) -> str | None:
        """The error that ended a run, or None."""
        path = self._failure(key)
        return str(read_json(path, remedy="delete it").get("error", "")) if path.exists() else None

    def record_failure(self, key: str, error: str) -> None:
        """Note that a run cannot be done, and why, in one line."""
        write_json(self._failure(key), {"error": error})

    def forget_failure(self, key: str) -> None:
        """Let a failed run be tried again."""
        self._failure(key).unlink(missing_ok=True)

    def _failure(self, key: str) -> Path:
        return self.runs / f"{key}.failure.json"
