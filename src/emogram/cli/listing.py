"""The command `emogram list`: what a configuration can name, with its settings and their defaults."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.errors import ConfigurationError, MissingExtraError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel


class Kind(StrEnum):
    """What is listed."""

    SPECTROGRAMS = "spectrograms"


KindArgument = Annotated[Kind, typer.Argument(help="What to list.", show_default=False)]
Name = Annotated[str | None, typer.Argument(help="One of them, to see its settings.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with the settings and their defaults.")]


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("list")(list_choices)


def list_choices(kind: KindArgument, name: Name = None, as_json: Json = False) -> None:
    """List what a configuration can name, a line each; with a name, that one's settings, defaults and meaning.

    Examples:
        emogram list spectrograms

        emogram list spectrograms mfcc

        emogram list spectrograms --json
    """
    choices = _choices(kind)
    if name is not None and name not in choices:
        raise ConfigurationError(
            f"{name!r:.80}: not among the {kind}{did_you_mean(name, choices) or ';'} choose {', '.join(choices)}"
        )
    chosen = choices if name is None else {name: choices[name]}
    if as_json:
        typer.echo(json.dumps({key: _facts(settings) for key, settings in chosen.items()}, indent=1))
        return
    width = max(map(len, chosen))
    for key, settings in chosen.items():
        typer.echo(f"{key:{width}}  {_summary(settings)}")
    if name is not None:
        _print_fields(choices[name])


def _choices(kind: Kind) -> "dict[str, type[BaseModel]]":
    try:
        from emogram.spectrograms import SPECTROGRAMS
    except ImportError as error:
        raise MissingExtraError(f"listing {kind}", "train") from error
    return {**SPECTROGRAMS}


def _summary(settings: "type[BaseModel]") -> str:
    return (settings.__doc__ or "").splitlines()[0]


def _facts(settings: "type[BaseModel]") -> dict[str, object]:
    descriptions = {field: info.description for field, info in settings.model_fields.items()}
    defaults = settings().model_dump(mode="json", exclude={"name"})
    fields = {field: {"default": value, "meaning": descriptions[field]} for field, value in defaults.items()}
    return {"summary": _summary(settings), "fields": fields}


def _print_fields(settings: "type[BaseModel]") -> None:
    defaults = settings().model_dump(mode="json", exclude={"name"})
    lines = {f"{field}={json.dumps(value).strip(chr(34))}": field for field, value in defaults.items()}
    width = max(map(len, lines))
    for line, field in lines.items():
        typer.echo(f"  {line:{width}}  {settings.model_fields[field].description}")
