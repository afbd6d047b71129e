"""`emogram corpus`: list the known corpora, check and scan one on disk, download one."""

import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.options import LabelsOption, label_map

if TYPE_CHECKING:
    from emogram.corpora import Report

_SHOWN = 5


class Kind(StrEnum):
    """Which recordings of a corpus."""

    SPEECH = "speech"
    SONG = "song"


Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from: emogram corpus list.")]
Location = Annotated[Path, typer.Argument(metavar="PATH", help="The folder that holds it; for csv the table.")]
KindOption = Annotated[Kind | None, typer.Option("--kind", help="Keep only speech, or only song.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Threads that decode; as many as processors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")]


def register(application: typer.Typer) -> None:
    """Add the commands to the application."""
    commands = typer.Typer(no_args_is_help=True, help="List, check, scan and download corpora of emotional speech.")
    commands.command("list")(list_corpora)
    commands.command("check")(check)
    commands.command("scan")(scan)
    commands.command("download")(download)
    application.add_typer(commands, name="corpus")


def list_corpora(as_json: Json = False) -> None:
    """List the known corpora: clips, emotions, licence, and whether emogram can download them.

    Examples:
        emogram corpus list

        emogram corpus list --json
    """
    from emogram.corpora import CORPORA
    from emogram.corpora.addresses import ARCHIVES

    if as_json:
        facts = {
            corpus.name: {
                "title": corpus.title,
                "clips": corpus.n_clips,
                "emotions": corpus.emotions,
                "labels": dict(corpus.labels),
                "languages": corpus.languages,
                "licence": corpus.licence,
                "citation": corpus.citation,
                "address": corpus.address,
                "download": corpus.name in ARCHIVES,
            }
            for corpus in CORPORA.values()
        }
        typer.echo(json.dumps(facts, indent=2))
        return
    for corpus in CORPORA.values():
        typer.echo(f"{corpus.name:<15} {corpus.title}")
        typer.echo(f"{'':<15} {', '.join(corpus.emotions)}")
        origin = "emogram corpus download" if corpus.name in ARCHIVES else corpus.address or "on this machine"
        typer.echo(f"{'':<15} licence: {corpus.licence}; from: {origin}")


def check(
    name: Name,
    path: Location,
    *,
    kind: KindOption = None,
    labels: LabelsOption = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Compare a corpus on disk with its official release, and decode every clip.

    Says what is missing, extra, unreadable, repeated, equal byte for byte, clipped or silent. The exit status is 0 when
    nothing is missing or unreadable, else 1. Duplicates do not count: RAVDESS and CREMA-D were released with some.

    Examples:
        emogram corpus check ravdess-speech data/RAVDESS

        emogram corpus check tess data/TESS --json

        emogram corpus check folder my-recordings --label furious=angry
    """
    from emogram import corpora

    report = corpora.check(
        name, path, kind=kind, labels=label_map(labels), workers=workers, progress=_progress("clips")
    )
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    else:
        _tell(report)
    if not report.complete:
        raise typer.Exit(1)


def scan(
    name: Name,
    path: Location,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it; standard output when left out."),
    ] = None,
    kind: KindOption = None,
    labels: LabelsOption = None,
    workers: Workers = None,
) -> None:
    """Write the manifest of a corpus on disk: one CSV row a clip, with speaker, emotion, duration and hash.

    Clips that cannot be decoded are named on standard error and left out, and the exit status is 1.

    Examples:
        emogram corpus scan ravdess data/RAVDESS -o ravdess.csv

        emogram corpus scan ravdess data/RAVDESS --kind song -o song.csv

        emogram corpus scan csv my-clips.csv --label joyful=happy -o mine.csv
    """
    from emogram import corpora
    from emogram.errors import AudioError

    unreadable: list[AudioError] = []
    clips = corpora.scan(
        name,
        path,
        kind=kind,
        labels=label_map(labels),
        workers=workers,
        progress=_progress("clips"),
        on_unreadable=unreadable.append,
    )
    if output is None:
        corpora.write_rows(sys.stdout, clips)
    else:
        corpora.write_manifest(output, clips)
        typer.echo(f"{len(clips)} clips, written to {output}", err=True)
    for error in unreadable:
        typer.echo(f"emogram: error: {error}", err=True)
    if unreadable:
        raise typer.Exit(1)


def download(
    name: Name,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to put it into; made if needed.")],
) -> None:
    """Download a corpus, compare it with its checksum and unpack it.

    A download that breaks off resumes when the command is run again. For a corpus that has no public address, the
    address and the steps to it are printed, and the exit status is 1. Synthetic voices are rendered.

    Examples:
        emogram corpus download ravdess-speech data/RAVDESS

        emogram corpus download savee data/SAVEE
    """
    from emogram import corpora
    from emogram.corpora.addresses import ARCHIVES, STEPS

    corpus = corpora.get(name)
    if name in STEPS:
        typer.echo("\n".join(f"{number}. {step}" for number, step in enumerate(STEPS[name], start=1)))
        typer.echo(f"emogram: error: {name}: cannot be downloaded; follow the steps above", err=True)
        raise typer.Exit(1)
    typer.echo(f"{corpus.title}; licence: {corpus.licence}", err=True)
    for archive in ARCHIVES.get(name, ()):
        if archive.checksum is None:
            typer.echo(f"{archive.url}: has no published checksum to compare with", err=True)
    for folder in corpora.download(name, directory, progress=_progress("MB", 1_000_000)):
        typer.echo(str(folder))
    typer.echo(f"look at it with: emogram corpus check {name} {directory}", err=True)


def _progress(unit: str, scale: int = 1) -> Callable[[int, int], None] | None:
    """Count on standard error, where a person looks."""
    if not sys.stderr.isatty():
        return None
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        if done // scale != shown:
            shown = done // scale
            of = f"/{total // scale}" if total else ""
            typer.echo(f"\r{shown}{of} {unit}", err=True, nl=0 < total <= done)

    return show


def _tell(report: "Report") -> None:
    expected = f" of {report.official}" if report.official else ""
    typer.echo(f"{report.corpus}: {'complete' if report.complete else 'not complete'}")
    typer.echo(f"clips       {report.clips}{expected}")
    _tell_no_audio(report)
    typer.echo(f"speakers    {report.speakers or 'not known'}")
    typer.echo(f"emotions    {', '.join(f'{emotion} {count}' for emotion, count in report.emotions.items()) or 'none'}")
    _tell_list("missing", report.missing)
    _tell_list("extra", report.extra)
    _tell_list("unreadable", list(report.problems.values()))
    _tell_list("duplicates", [" = ".join(group) for group in report.duplicates])
    _tell_list("repeated", report.repeated)
    _tell_list("clipped", report.clipped)
    _tell_list("silent", report.silent)


def _tell_no_audio(report: "Report") -> None:
    """Say of a folder without any audio that this is why all is missing, and what was looked for."""
    from emogram.corpora.files import AUDIO_SUFFIXES, audio_files

    folder = Path(report.path)
    if report.clips or report.extra or report.unreadable or not folder.is_dir() or audio_files(folder):
        return
    looked_for = ", ".join(sorted(AUDIO_SUFFIXES))
    typer.echo(f"  {folder} holds no audio, at any depth, of {looked_for}; give the folder that holds the recordings")


def _tell_list(title: str, items: Sequence[str]) -> None:
    typer.echo(f"{title:<11} {len(items)}")
    for item in items[:_SHOWN]:
        typer.echo(f"  {item}")
    if len(items) > _SHOWN:
        typer.echo(f"  … and {len(items) - _SHOWN} more; all of them with --json")
