"""`emogram study`: run a study, look at how far it is, read its table, take its results along."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.options import places_of
from emogram.cli.training import laboratory, tell
from emogram.cli.voices import SYNTHETIC, render_beside
from emogram.errors import ConfigurationError, TrainingError

if TYPE_CHECKING:
    from emogram.studies.plan import Plan
    from emogram.studies.store import Store
    from emogram.studies.study import Study


class Format(StrEnum):
    """How a table is told."""

    TEXT = "text"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


File = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study.")]
Corpora = Annotated[
    list[str] | None, typer.Option("--corpus", "-c", metavar="NAME=PATH", help="Where a corpus lies. Repeatable.")
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="DIR", help="The store that studies share; runs are found there again."),
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Runs at a time, each with its share of processors.")]
Retry = Annotated[bool, typer.Option("--retry", help="Try again the runs that failed.")]
STORE, EXPORTS = Path("runs/studies"), Path("docs/results/studies")


def register(application: typer.Typer) -> None:
    """Add the commands to the application."""
    commands = typer.Typer(no_args_is_help=True, help="Run a study: a question, its runs, and honest statistics.")
    commands.command("run")(run)
    commands.command("status")(status)
    commands.command("table")(table)
    commands.command("all")(run_every)
    commands.command("export")(export)
    application.add_typer(commands, name="study")


def run(  # noqa: PLR0917 - the words of a command line
    study: File,
    corpus: Corpora = None,
    output: Output = STORE,
    workers: Workers = 1,
    points: Annotated[str | None, typer.Option(metavar="A,B", help="Only the runs of these points.")] = None,
    retry: Retry = False,
) -> None:
    """Do every run of a study that is not done, then print its table and sentences, and write its small paper.

    Killed at any moment and started again, it goes on where it was; started twice, the two share the work. Runs that
    another study has done already are taken over.

    Examples:
        emogram study run studies/quick.yaml

        emogram study run studies/spectrogram.yaml --corpus ravdess-speech=RAVDESS --workers 2
    """
    failed = _run(study, corpus or [], output, workers=workers, points=points, retry=retry)
    if failed:
        raise typer.Exit(1)


def status(study: File, output: Output = STORE) -> None:
    """How many runs of a study are done, failed and left, and how long the rest will take on one worker.

    Examples:
        emogram study status studies/spectrogram.yaml
    """
    with laboratory("emogram study"):
        from emogram.studies.progress import duration
        from emogram.studies.progress import status as look_up
    plan, store = _planned(study, output)
    found = look_up(store, plan)
    rest = "" if found.left_s is None or not found.left else f", about {duration(found.left_s)} of work"
    typer.echo(f"{plan.study.name}: {found.done} done, {found.failed} failed, {found.left} left{rest}", nl=False)
    typer.echo(f"; {found.running} running" if found.running else "")
    for failure in found.failures:
        typer.echo(f"failed: {failure}")


def table(
    study: File,
    output: Output = STORE,
    form: Annotated[
        Format, typer.Option("--format", help="text: scores and sentences; else one row a run.")
    ] = Format.TEXT,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write there; needed for Parquet.")] = None,
) -> None:
    """What a study found by now: scores with intervals and a sentence each, or the tidy table with one row a run.

    Examples:
        emogram study table studies/spectrogram.yaml

        emogram study table studies/spectrogram.yaml --format csv > runs.csv
    """
    with laboratory("emogram study"):
        from emogram.studies import tidy
        from emogram.studies.results import describe, write_results
    plan, store = _planned(study, output)
    if form is Format.PARQUET:
        if to is None:
            raise ConfigurationError("--format parquet: is no text; say where to write it: --to FILE")
        tidy.write_parquet(to, tidy.rows(plan, store))
        return
    if form is Format.TEXT:
        text = describe(write_results(plan, store))
    else:
        text = (tidy.to_csv if form is Format.CSV else tidy.to_json)(tidy.rows(plan, store))
    if to is None:
        typer.echo(text.rstrip("\n"))
    else:
        to.write_text(text, encoding="utf-8")


def run_every(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds the study files.")],
    corpus: Corpora = None,
    output: Output = STORE,
    workers: Workers = 1,
    retry: Retry = False,
) -> None:
    """Run every study of a folder, in the order of their names; all are checked before the first run.

    Examples:
        emogram study all studies/ --corpus ravdess-speech=RAVDESS --workers 2
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigurationError(f"{folder}: holds no study; name a folder with YAML files")
    with laboratory("emogram study"):
        from emogram.studies.plan import corpora_of
        from emogram.studies.study import read_study
    paths = dict(places_of(corpus or []))
    for file in files:
        for name in corpora_of(read_study(file)):
            if name not in paths and name != SYNTHETIC:
                raise ConfigurationError(f"{file}: needs the corpus {name}; say where it lies: --corpus {name}=PATH")
    failed = 0
    for file in files:
        tell(f"{file.stem}")
        failed += _run(file, corpus or [], output, workers=workers, points=None, retry=retry)
    if failed:
        raise typer.Exit(1)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR/STUDY", help="The study's folder in its store.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where to; default docs/results/studies/STUDY."),
    ] = None,
) -> None:
    """Copy a study's table, findings, figures and packed predictions, from which its statistics can be made again.

    Examples:
        emogram study export runs/studies/spectrogram -o docs/results/studies/spectrogram
    """
    with laboratory("emogram study"):
        from emogram.studies.results import export as write
    for path in write(folder, output or EXPORTS / folder.resolve().name):
        tell(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


def _run(file: Path, corpus: Sequence[str], output: Path, *, workers: int, points: str | None, retry: bool) -> int:
    """Run a study, tell its results, and return how many runs failed."""
    with laboratory("emogram study"):
        from emogram.studies.plan import gather_corpora, make_plan, only
        from emogram.studies.progress import status as look_up
        from emogram.studies.results import describe, write_results
        from emogram.studies.runner import Work, run_all, threads_each
        from emogram.studies.store import Store
        from emogram.studies.study import read_study
    study, store = read_study(file), Store(output)
    paths = _with_voices(study, dict(places_of(corpus)), output)
    clips = gather_corpora(study, paths, _progress)
    plan, tasks = make_plan(study, clips, paths)
    chosen = plan if points is None else only(plan, [name.strip() for name in points.split(",")])
    plan.write(store)
    found = look_up(store, plan)
    tell(f"{study.name}: {len(tasks)} runs, {found.done} done already; {study.budget.words}")
    wanted = {planned.key for planned in chosen.runs}
    work = Work(
        store=store,
        tasks=[task for task in tasks if task.run.key in wanted],
        clips=clips,
        conditions={condition.label: condition for condition in study.conditions},
        threads=threads_each(workers),
        workers=workers,
    )
    failed = run_all(work, retry=retry, say=tell)
    typer.echo(describe(write_results(plan, store)))
    tell(f"table, findings and figure: {store.study(study.name)}")
    _tell_paper(store.study(study.name))
    if failed:
        tell(f"{failed} runs failed; see: emogram study status {file} -o {output}")
    return failed


def _tell_paper(folder: Path) -> None:
    """Write the small paper of a study beside its table."""
    from emogram.paper import can_print, write_study_paper

    for path in write_study_paper(folder, folder / "paper").files:
        tell(f"paper: {path}")
    if not can_print():
        tell("for a PDF too: pip install 'emogram[paper]', then emogram paper --results " + str(folder))


def _planned(study: Path, output: Path) -> "tuple[Plan, Store]":
    """The plan that was written when a study ran.

    Raises:
        ConfigurationError: the file has changed since.
    """
    with laboratory("emogram study"):
        from emogram.studies.plan import read_plan
        from emogram.studies.store import Store
        from emogram.studies.study import read_study
    store = Store(output)
    read = read_study(study)
    plan = read_plan(store.study(read.name))
    if plan.study != read:
        raise ConfigurationError(f"{study}: has changed since it ran; run it again, which does only what is new")
    return plan, store


def _with_voices(study: "Study", paths: dict[str, Path], output: Path) -> dict[str, Path]:
    """The places of the corpora; synthetic voices are rendered where a study needs them and none are given."""
    from emogram.studies.plan import corpora_of

    if SYNTHETIC not in corpora_of(study) or SYNTHETIC in paths:
        return paths
    voices = output / "voices"
    if not voices.exists():
        partial = render_beside(voices)
        try:
            partial.rename(voices)
        except OSError as error:
            if not voices.exists():
                raise TrainingError(f"{voices}: cannot be made ({error.strerror}); choose another --output") from error
    return {**paths, SYNTHETIC: voices}


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rclips read: {done} of {total}" + ("\n" if done == total else ""))
        sys.stderr.flush()
