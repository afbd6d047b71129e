"""Fixtures of the tests of distillation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emogram.networks.whisper import SIZES
from emogram.training.material import Material, prepare
from tests.training import runs
from tests.training.distillation import teachers


@pytest.fixture(autouse=True, scope="module")
def affordable() -> Iterator[None]:
    """Only here: tests of other folders may follow in the same process, and know whisper-tiny as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "tiny", teachers.SMALL)
        yield


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teachers.publish(tmp_path_factory.mktemp("weights") / "model.safetensors")


@pytest.fixture(scope="session")
def split(material: runs.Material) -> Material:
    """All clips of four voices, one of them tested."""
    return prepare(material.configuration(), material.clips())
