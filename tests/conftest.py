"""Fixtures that every test shares."""

import os
from pathlib import Path

import pytest

# Test processes share the processors; threads of their own would only get in each other's way. Set before torch loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def emogram_data() -> Path:
    """The folder of real corpora; tests that need it are skipped, by name, where it is not set."""
    root = os.environ.get("EMOGRAM_DATA")
    if not root:
        pytest.skip("needs real audio: set EMOGRAM_DATA to the folder that holds ravdess/, tess/, emodb/ …")
    return Path(root)
