"""Fixtures of the tests of the command line."""

import pytest

from tests.training import runs


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> runs.Material:
    return runs.material(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def folds(tmp_path_factory: pytest.TempPathFactory) -> runs.Folds:
    return runs.folds(tmp_path_factory.getbasetemp())
