"""The command `emogram list`: what a configuration can name, with its settings and their defaults."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.training import laboratory
from emogram.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from emogram.training.schema import FieldFacts
    from emogram.training.variants import Variant


class Kind(StrEnum):
    """What is listed."""

    SPECTROGRAMS = "spectrograms"
    AUGMENTATIONS = "augmentations"
    NETWORKS = "networks"
    OPTIMIZERS = "optimizers"
    SCHEDULES = "schedules"


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

        emogram list optimizers lion

        emogram list networks --json
    """
    with laboratory(f"listing {kind}"):
        from emogram.training.variants import VARIANTS
    variants = VARIANTS[kind]
    if name is not None and name not in variants:
        raise ConfigurationError(
            f"{name!r:.80}: not among the {kind}{did_you_mean(name, variants) or ';'} choose {', '.join(variants)}"
        )
    chosen = variants if name is None else {name: variants[name]}
    if as_json:
        typer.echo(json.dumps({key: _facts(variant) for key, variant in chosen.items()}, indent=1))
        return
    width = max(map(len, chosen))
    for key, variant in chosen.items():
        typer.echo(f"{key:{width}}  {variant.summary}")
    if name is not None:
        _print_fields(variants[name].fields)


def _facts(variant: "Variant") -> dict[str, object]:
    fields = {
        name: {"default": field.default, "type": field.type, "meaning": field.meaning}
        for name, field in variant.fields.items()
    }
    return {"summary": variant.summary, "fields": fields}


def _print_fields(fields: "dict[str, FieldFacts]") -> None:
    lines = {f"{name}={json.dumps(field.default).strip(chr(34))}": field for name, field in fields.items()}
    width = max(map(len, lines), default=0)
    for line, field in lines.items():
        typer.echo(f"  {line:{width}}  {field.meaning}; {field.type}")
