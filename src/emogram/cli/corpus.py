"""Commands of `emogram corpus`."""

import typer


def register(application: typer.Typer) -> None:
    """Add the commands to the application."""
