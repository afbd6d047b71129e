"""`emogram search`: look for better settings by validation score."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from emogram.cli.training import gather_clips, laboratory, read_settings, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emogram.training.configuration import Configuration


def register(application: typer.Typer) -> None:
    """Add `search` to the application."""
    application.command()(search)


def search(  # noqa: PLR0917 - the words of a command line
    settings: Annotated[
        list[str] | None,
        Argument(metavar="[CONFIGURATION.yaml] [FIELD=VALUE]...", help="Where the search starts from."),
    ] = None,
    space: Annotated[
        list[str] | None,
        Option("--space", metavar="FIELD=LOW..HIGH[:log]|FIELD=A,B", help="A field and what it may be. Repeatable."),
    ] = None,
    corpus: Annotated[
        list[str] | None, Option("--corpus", "-c", metavar="NAME=PATH", help="A corpus; several are joined.")
    ] = None,
    trials: Annotated[int, Option(min=1, max=100_000, help="Trials in all, those of an earlier call included.")] = 20,
    output: Annotated[Path, Option("--output", "-o", metavar="DIR", help="Of the search.")] = Path("runs/search"),
    storage: Annotated[
        str | None, Option(metavar="URL", help="A shared database; default sqlite in the folder.")
    ] = None,
) -> None:
    """Search fields of the configuration for the best validation score; the test part is never looked at.

    Proposals come from a tree-structured Parzen estimator, and trials below the median of the others are stopped.
    Killed and started again, a search goes on. The best configuration is best.yaml: what it is worth, `emogram train`
    tells on the test part.

    Examples:
        emogram search configurations/ravdess.yaml --corpus ravdess-speech=RAVDESS fit.epochs=20 --trials 30
        --space fit.optimizer.learning_rate=1e-4..1e-2:log --space network.dropout=0.0..0.6
    """
    with laboratory("emogram search"):
        from emogram.errors import ConfigurationError
        from emogram.studies.search import read_dimension
        from emogram.studies.search import search as look
    if not space:
        raise ConfigurationError("--space: nothing to search; name a field, for example network.dropout=0.0..0.6")
    dimensions = [read_dimension(text) for text in space]

    def configure(changes: "Sequence[str]") -> "Configuration":
        return read_settings([*(settings or []), *changes], corpus or [])

    clips = gather_clips(configure([]))
    found = look(configure, dimensions, clips, output, trials=trials, storage=storage, say=tell)
    typer.echo(
        f"best {found['metric']} {found['value']:.4f} of {found['trials']} trials, {found['pruned']} stopped early"
    )
    for field, value in found["changes"].items():
        typer.echo(f"  {field}={value}")
    tell(f"configuration: {output / 'best.yaml'}")
