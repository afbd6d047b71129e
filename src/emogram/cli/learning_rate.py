"""`emogram learning-rate`: a rate to begin with, found by the range test."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.options import CorporaOption
from emogram.cli.training import counter, gather_clips, laboratory, read_settings, tell
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.training.configuration import Configuration
    from emogram.training.learning_rate import RangeTest


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("learning-rate")(learning_rate)


def learning_rate(  # noqa: PLR0917 - the words of a command line
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONFIGURATION.yaml] [FIELD=VALUE]...", help="As for emogram train."),
    ] = None,
    corpus: CorporaOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PNG|SVG", help="Where to draw the curve.")
    ] = None,
    lowest: Annotated[float, typer.Option("--from", help="First learning rate.")] = 1e-6,
    highest: Annotated[float, typer.Option("--to", help="Last learning rate.")] = 1.0,
    batches: Annotated[int, typer.Option(help="Batches from the first to the last.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rates and the curve as JSON.")] = False,
) -> None:
    """Find a learning rate: train a little while the rate rises, and see where the loss falls fastest (Smith 2017).

    Takes the configuration of a run, its optimiser included, trains it on some batches of its training part, and keeps
    nothing. It suggests the rate of steepest descent, and a tenth of the rate at which the loss was lowest.

    Examples:
        emogram learning-rate --corpus ravdess-speech=RAVDESS -o lr.png

        emogram learning-rate configurations/ravdess.yaml --corpus ravdess-speech=RAVDESS fit.optimizer=sgd --to 10
    """
    with laboratory("emogram learning-rate"):
        from emogram.evaluation.style import FIGURE_SUFFIXES
        from emogram.training.learning_rate import range_test
    if output is not None and output.suffix not in FIGURE_SUFFIXES:
        raise ConfigurationError(f"--output {output}: no kind of picture; end it in {' or '.join(FIGURE_SUFFIXES)}")
    configuration = read_settings(settings or [], corpus or [])
    found = range_test(
        configuration,
        gather_clips(configuration),
        lowest=lowest,
        highest=highest,
        batches=batches,
        progress=counter("batches trained"),
    )
    typer.echo(json.dumps(_facts(configuration, found)) if as_json else _text(configuration, found))
    if output is not None:
        _draw(configuration, found, output)
        tell(f"curve: {output}")


def _facts(configuration: "Configuration", found: "RangeTest") -> dict[str, object]:
    return {
        "optimizer": configuration.fit.optimizer.name,
        "suggestion": found.suggestion,
        "steepest": found.steepest,
        "minimum": found.minimum,
        "still_falling": found.still_falling,
        "rates": found.rates.tolist(),
        "losses": found.losses.tolist(),
        "smoothed": found.smoothed.tolist(),
    }


def _text(configuration: "Configuration", found: "RangeTest") -> str:
    lines = [
        f"{configuration.fit.optimizer.name}, {len(found.rates)} batches of {configuration.fit.batch_size} clips",
        f"steepest descent        {found.steepest:.2g}",
        f"lowest loss             {found.minimum:.2g}",
        f"a tenth of the latter   {found.suggestion:.2g}",
        f"try fit.optimizer.learning_rate={found.suggestion:.1e}, now {configuration.fit.optimizer.learning_rate:g}",
    ]
    if found.still_falling:
        lines.append(
            f"the loss was still falling at {found.minimum:.2g}; look further with --to {10 * found.minimum:.2g}"
        )
    return "\n".join(lines)


def _draw(configuration: "Configuration", found: "RangeTest", output: Path) -> None:
    from emogram.evaluation.rate_figure import range_test
    from emogram.evaluation.style import write

    figure = range_test(
        found.rates,
        found.losses,
        found.smoothed,
        steepest=found.steepest,
        minimum=found.minimum,
        title=f"Learning rate of {configuration.fit.optimizer.name} on {configuration.network.name}",
    )
    write(figure, output)
