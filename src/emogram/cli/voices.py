"""Synthetic voices, for commands that are given no corpus."""

import shutil
from pathlib import Path

from emogram.cli.training import tell

SYNTHETIC = "synthetic"
"""The corpus of these voices, by name."""


def render_beside(voices: Path) -> Path:
    """Render them into a folder beside `voices`, to be renamed once it is whole."""
    from emogram.corpora import synthetic

    tell("rendering synthetic voices: they show that everything works, and are no benchmark")
    partial = voices.with_name(f"{voices.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    synthetic.render(partial)
    return partial
