"""The single results of a store: every folder with ``metrics.json`` and ``predictions-test.csv``, whatever it is called."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from emogram.evaluation.predictions import Predictions, read_predictions
from emogram.evaluation.summary import summarise
from emogram.paper.wording import flat
from emogram.training.run_folder import METRICS, read_json

PREDICTIONS = "predictions-test.csv"
SYNTHETIC = "synthetic"
_RANDOM = "stratified"


@dataclass(frozen=True)
class Result:
    """One trained system and its answers to its test part.

    All scores are computed from the answers; of ``metrics.json`` only what cannot be: what was trained, and how.

    Attributes:
        name: of its folder.
        metrics: content of ``metrics.json``.
        predictions: of the test part, over all folds.
        label: in tables and figures, unlike that of any other result.
    """

    name: str
    metrics: Mapping[str, Any]
    predictions: Predictions
    label: str = ""

    @cached_property
    def summary(self) -> dict[str, Any]:
        """All scores, as `emogram.evaluation.summarise`."""
        return summarise(self.predictions)

    @property
    def scores(self) -> dict[str, dict[str, float | None]]:
        """``value``, ``low`` and ``high`` of each metric."""
        found: dict[str, dict[str, float | None]] = self.summary["metrics"]
        return found

    @property
    def accuracy(self) -> float:
        """Over all clips."""
        return float((self.predictions.predicted == self.predictions.truth).mean())

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of the configuration by dotted name; empty where it was not stored."""
        stored = self.metrics.get("configuration")
        return flat(stored) if isinstance(stored, Mapping) else {}

    @property
    def split(self) -> str:
        """Name of the split."""
        stored = self.metrics.get("split")
        return str(stored.get("name", "")) if isinstance(stored, Mapping) else str(stored or "")

    @property
    def unseen(self) -> bool:
        """Whether no test speaker was in training; not so unless the store says it."""
        stored = self.metrics.get("split")
        return isinstance(stored, Mapping) and stored.get("speaker_disjoint") is True

    @property
    def is_random(self) -> bool:
        """Whether the split is a random draw of clips."""
        return self.split == _RANDOM

    @property
    def corpora(self) -> tuple[str, ...]:
        """Tested on."""
        return tuple(sorted(set(self.predictions.corpora)))

    @property
    def is_synthetic(self) -> bool:
        """Whether only computed voices were tested."""
        return self.corpora == (SYNTHETIC,)

    @property
    def group(self) -> tuple[tuple[str, ...], str]:
        """Results of one group can be compared: the same corpora by the same split."""
        return self.corpora, self.split

    @property
    def parameters(self) -> int | None:
        """Of the network; None where it was not stored."""
        value = self.metrics.get("parameters")
        return int(value) if isinstance(value, int | float) else None

    @property
    def network(self) -> str:
        """Name of the network, or of the run where its configuration was not stored."""
        return str(self.settings.get("network.name") or self.metrics.get("name") or self.name)

    @property
    def source(self) -> str:
        """What the weights began with, in words; empty where it was not stored."""
        if not self.settings:
            return ""
        if any(field.startswith("distillation.") for field in self.settings):
            return "a teacher"
        return "weights from elsewhere" if any(field.startswith("transfer.") for field in self.settings) else "nothing"


def read_results(store: Path) -> tuple[list[Result], list[str]]:
    """Every result below a folder, best first within its group, and the folders that cannot be used, with the reason.

    Raises:
        TrainingError: a damaged ``metrics.json``.
        CorpusError: damaged predictions.
    """
    found, unusable = [], []
    for path in sorted(store.rglob(METRICS)):
        folder = path.parent
        if not (folder / PREDICTIONS).is_file():
            unusable.append(f"{folder.relative_to(store).as_posix()}: has no {PREDICTIONS}")
            continue
        metrics = read_json(path, remedy="copy it again from its run")
        name = folder.relative_to(store).as_posix()
        found.append(Result(name, metrics, read_predictions(folder / PREDICTIONS)))
    found.sort(key=lambda result: (result.corpora, not result.unseen, result.split, -result.accuracy, result.name))
    return _labelled([_completed(result, found) for result in found]), unusable


def _completed(result: Result, others: list[Result]) -> Result:
    """A result whose configuration was not stored has that of the run of the same name and size, which was the same file."""
    if result.settings:
        return result
    for other in others:
        alike = (other.metrics.get("name"), other.parameters) == (result.metrics.get("name"), result.parameters)
        if other.settings and alike:
            return replace(result, metrics={**result.metrics, "configuration": other.metrics["configuration"]})
    return result


def _labelled(results: list[Result]) -> list[Result]:
    """Every result with a label: its network, and its folder where that is not enough."""
    kinds = Counter((result.network, result.group) for result in results)
    return [
        replace(
            result,
            label=result.network if kinds[result.network, result.group] == 1 else f"{result.network} ({result.name})",
        )
        for result in results
    ]
