"""Fixtures of the tests of studies."""

import pytest

from tests.training import runs


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> runs.Material:
    return runs.material(tmp_path_factory.getbasetemp())
