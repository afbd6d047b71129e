"""`emogram predict`: the emotion of recordings."""

from typing import Annotated

import typer


def register(application: typer.Typer) -> None:
    """Add `predict` to the application."""
    application.command()(predict)


def predict(recordings: Annotated[list[str], typer.Argument(metavar="FILE|DIR|-")]) -> None:
    """Recognise the emotion of recordings."""
