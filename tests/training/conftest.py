"""Fixtures of the tests of training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emogram.networks.whisper import SIZES
from emogram.training import run
from tests.training import runs
from tests.training.distillation.teachers import SMALL


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> runs.Material:
    return runs.material(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def folds(tmp_path_factory: pytest.TempPathFactory) -> runs.Folds:
    return runs.folds(tmp_path_factory.getbasetemp())


@pytest.fixture
def without_conclusion(monkeypatch: pytest.MonkeyPatch) -> None:
    """End a run after its fit: no predictions, no export."""

    def nothing(*_: Any, scores_only: bool) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(run, "conclude", nothing)


@pytest.fixture
def small(material: runs.Material, tmp_path: Path) -> runs.Small:
    return runs.Small(material, tmp_path / "run")


@pytest.fixture(scope="module")
def narrow_whisper() -> Iterator[None]:
    """A narrow encoder in the place of whisper-tiny: its export takes as long as its weights are large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "tiny", SMALL)
        yield
