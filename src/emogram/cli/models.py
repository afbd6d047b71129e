"""`emogram models`: the models that come with emogram, and what they say of themselves."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.recognition import ModelInfo


def register(application: typer.Typer) -> None:
    """Add `models` to the application."""
    application.command()(models)


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="One of them, or a model file, to read its card.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what they say of themselves as JSON.")] = False,
) -> None:
    """List the models that come with emogram: size, scores on unseen speakers, emotions, licence. With a name, its card.

    Examples:
        emogram models

        emogram models base

        emogram models runs/own/model.onnx --json
    """
    from emogram.recognition.bundled import bundled, find_model
    from emogram.recognition.model_file import read_model

    if name is None:
        files = bundled()
    else:
        found = find_model(name)
        assert not isinstance(found, bytes)
        files = {name: Path(found)}
    known = {key: (path, read_model(path).info) for key, path in files.items()}
    if as_json:
        typer.echo(json.dumps([_facts(key, *each) for key, each in known.items()], indent=1))
    elif name is not None:
        [(path, info)] = known.values()
        typer.echo(info.card.rstrip() or _described(name, path, info))
    elif known:
        typer.echo("\n\n".join(_described(key, *each) for key, each in known.items()))
    else:
        raise ConfigurationError("models: none comes with this copy of emogram; make them with: make pretrained")


def _facts(name: str, path: Path, info: "ModelInfo") -> dict[str, Any]:
    return {
        "name": name,
        "file": str(path),
        "bytes": path.stat().st_size,
        "emotions": list(info.labels),
        "scores": dict(info.scores),
        "training_corpora": list(info.training_corpora),
        "licence": info.licence,
        "created": info.created,
        "card": info.card,
    }


def _described(name: str, path: Path, info: "ModelInfo") -> str:
    lines = [
        f"{name}  {path.stat().st_size / 1e6:.1f} MB",
        f"  emotions  {', '.join(info.labels)}",
        f"  trained   on {', '.join(info.training_corpora)}",
        f"  licence   {info.licence}",
    ]
    lines += [f"  {key}  {f'{value:.3f}' if isinstance(value, float) else value}" for key, value in info.scores.items()]
    return "\n".join(lines)
