"""Voices that are rendered once: four speakers, whose clips a bundled model is adapted to."""

import pytest

from emogram.corpora import Clip
from emogram.corpora.synthetic import render


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    clips = render(tmp_path_factory.mktemp("voices") / "synthetic", speakers=4, takes=1)
    return [clip for clip in clips if clip.emotion in {"neutral", "happy", "sad", "angry"}]
