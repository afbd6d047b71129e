"""Commands of `emogram training`."""

import typer


def register(application: typer.Typer) -> None:
    """Add the commands to the application."""
