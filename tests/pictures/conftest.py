"""Fixtures of the tests of pictures: a few voices on disk."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from emogram import corpora
from emogram.corpora import Clip, synthetic
from emogram.training.configuration import Configuration, load


@dataclass(frozen=True)
class Voices:
    """Three speakers who say one sentence in six emotions each."""

    corpus: Path
    cache: Path

    def configuration(self, *fields: str) -> Configuration:
        return load(None, [f"corpora.synthetic={self.corpus}", f"runtime.cache={self.cache}", *fields])

    def clips(self) -> list[Clip]:
        return corpora.scan("synthetic", self.corpus)


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    root = tmp_path_factory.mktemp("pictures")
    synthetic.render(root / "voices", speakers=3, takes=1)
    for path in (root / "voices").glob("*/*.wav"):
        if "_s1_" not in path.name:
            path.unlink()
    return Voices(root / "voices", root / "cache")
