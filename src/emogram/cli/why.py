"""`emogram show --why`: which part of a recording spoke for the emotion that a model hears in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emogram.cli.training import laboratory
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.audio import Wave
    from emogram.recognition import Explanation


def show_why(recordings: Sequence[str], target: Path | None, *, model: str | None, emotion: str | None) -> None:
    """Explain recordings, one picture each.

    Args:
        recordings: files.
        target: picture of the only one, or folder for all; None is the terminal.
        model: a model file, or None for that of the environment, else the one that comes with emogram.
        emotion: to explain; the most probable one of each recording where None.

    Raises:
        ConfigurationError: several recordings for one picture, or an emotion that the model does not know.
        AudioError: a recording cannot be used.
        ModelError: the model cannot be used.
    """
    with laboratory("emogram show --why"):
        from emogram.evaluation.explained import draw
        from emogram.evaluation.style import write
    from emogram import audio
    from emogram.recognition import load

    folder = target is not None and (target.is_dir() or not target.suffix)
    if target is not None and not folder and len(recordings) > 1:
        raise ConfigurationError(f"--output {target}: holds one picture, not {len(recordings)}; name a folder")
    recognizer = load(model)
    rate = recognizer.info.sample_rate
    for number, recording in enumerate(recordings, start=1):
        wave = audio.load(recording, rate)
        explanation = recognizer.explain(recording, emotion=emotion)
        if target is None:
            _draw_in_terminal(explanation, wave, rate)
            continue
        stem = Path(recording).stem
        repeated = [Path(other).stem for other in recordings].count(stem) > 1
        path = target / f"{stem}{f'-{number}' if repeated else ''}.png" if folder else target
        path.parent.mkdir(parents=True, exist_ok=True)
        typer.echo(str(write(draw(explanation, wave, rate), path)))
        typer.echo(str(explanation), err=True)


def _draw_in_terminal(explanation: "Explanation", wave: "Wave", sample_rate: int) -> None:
    from rich.console import Console

    from emogram.pictures.why import draw_why

    draw_why(Console(), explanation, wave, sample_rate=sample_rate)
