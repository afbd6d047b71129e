"""`emogram paper`: the paper and the talk from the results store, or the small paper of one study."""

from pathlib import Path
from typing import Annotated

import typer

from emogram.cli.training import laboratory, tell
from emogram.errors import ConfigurationError

RESULTS, STUDIES = Path("docs/results"), Path("studies")


def register(application: typer.Typer) -> None:
    """Add the command to the application."""
    application.command()(paper)


def paper(
    results: Annotated[
        Path, typer.Option(metavar="DIR", help="The store of results and exported studies, or one study's folder.")
    ] = RESULTS,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Where to; default: paper beside the store, or in the study."
        ),
    ] = None,
    studies: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Study files, to tell which have not run; default: studies, if it is there."),
    ] = None,
) -> None:
    """Set the paper (PDF and HTML) and the talk (PDF) from stored results; no number in them is typed.

    Every folder of the store with metrics.json and predictions-test.csv is a result, every one that emogram study export
    wrote a study. Given the folder of one study, its small paper is made.

    Examples:
        emogram paper

        emogram paper --results docs/results -o docs/paper

        emogram paper --results runs/studies/quick
    """
    if not results.is_dir():
        raise ConfigurationError(f"--results {results}: there is no such folder; name a store of results, or a study")
    if studies is not None and not studies.is_dir():
        raise ConfigurationError(f"--studies {studies}: there is no such folder; name the one with the study files")
    with laboratory("emogram paper"):
        from emogram.paper import write_paper, write_study_paper
        from emogram.paper.studied import is_study
    if is_study(results):
        written = write_study_paper(results, output or results / "paper")
    else:
        files = studies or (STUDIES if STUDIES.is_dir() else None)
        written = write_paper(results, output or results.parent / "paper", files)
    for reason in written.unusable:
        tell(f"left out: {reason}")
    for path in written.files:
        typer.echo(path)
