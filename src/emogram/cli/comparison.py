"""The command `emogram compare`: is one system better than another on the same clips, or can it not be told?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.training import laboratory, tell
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.evaluation.predictions import Predictions
    from emogram.evaluation.statistics import Comparison

_PUBLISHED = "published:"

System = Annotated[
    str,
    typer.Argument(metavar="RUN|PREDICTIONS.csv|published:NAME", help="A run, its predictions, or a published system."),
]


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command()(compare)


def compare(
    first: System,
    second: System,
    metric: Annotated[list[str] | None, typer.Option("--metric", "-m", help="Which scores.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare two systems on the clips that both were tested on: paired, with an interval over speakers.

    Several scores are corrected for their number (Holm 1979). McNemar's test stands beside them; it takes clips for
    independent, which those of one speaker are not.

    Examples:
        emogram compare runs/whisper runs/cnn

        emogram compare runs/whisper-luna published:luna-xlsr --metric accuracy
    """
    with laboratory("emogram compare"):
        from emogram.evaluation.statistics import compare as compare_predictions
        from emogram.evaluation.statistics import holm
    systems = _read(first), _read(second)
    names = _name(first), _name(second)
    found = [compare_predictions(*systems, metric=name, names=names) for name in metric or ("accuracy", "uar")]
    known = [comparison.p_value for comparison in found if comparison.p_value is not None]
    corrected = holm(known) if len(known) == len(found) else (None,) * len(found)
    if as_json:
        rows = [asdict(one) | {"holm_p": p} for one, p in zip(found, corrected, strict=True)]
        typer.echo(json.dumps({"first": names[0], "second": names[1], "comparisons": rows}))
        return
    for comparison, p_value in zip(found, corrected, strict=True):
        typer.echo(comparison.sentence)
        if p_value is not None:
            scores = f" (corrected for {len(found)} scores)" if len(found) > 1 else ""
            tell(f"  p = {p_value:.2g} over speakers{scores}")
    _tell_clips(found[0])


def _tell_clips(comparison: "Comparison") -> None:
    tell(
        f"clips that only one has right: {comparison.only_first} against {comparison.only_second}, "
        f"McNemar p = {comparison.mcnemar_p:.2g}"
    )


def _read(system: str) -> "Predictions":
    from emogram.evaluation.predictions import read_predictions
    from emogram.evaluation.published import published_predictions

    if system.startswith(_PUBLISHED):
        return published_predictions(system.removeprefix(_PUBLISHED))
    path = Path(system)
    if not path.exists():
        raise ConfigurationError(f"{system}: there is no such run or table of predictions; or write published:NAME")
    return read_predictions(path / "predictions-test.csv" if path.is_dir() else path)


def _name(system: str) -> str:
    return system.removeprefix(_PUBLISHED) if system.startswith(_PUBLISHED) else Path(system).name
