"""`emogram predict --timeline`: when which emotion is spoken, as text in several formats and as a picture."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emogram.cli.predict import STANDARD_INPUT, Entry, Format
from emogram.errors import AudioError, ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from emogram.recognition import Recognizer, Timeline

PICTURES = (".png", ".svg")


def write_timelines(
    recognizer: "Recognizer", entries: Sequence[Entry], output: Format, picture: Path | None = None
) -> None:
    """Write the timeline of each recording, and draw that of the only one.

    Recordings that cannot be used are named on standard error, and in JSON in their place.

    Raises:
        ConfigurationError: a format or picture that holds one recording, and several recordings; a picture's suffix.
        MissingExtraError: a picture without matplotlib.
        typer.Exit: with status 1, when some recording could not be used.
    """
    one = output in (Format.SRT, Format.VTT, Format.AUDACITY)
    if len(entries) != 1 and (one or picture is not None):
        option = f"--format {output.value}" if one else "--plot"
        raise ConfigurationError(f"{option}: takes one recording, not {len(entries)}; call it for each")
    draw = _drawing(picture) if picture is not None else None
    errors: list[AudioError] = []
    answers = _listened(recognizer, entries, errors)
    _write(output, answers, draw)
    if errors:
        raise typer.Exit(1)


def _listened(
    recognizer: "Recognizer", entries: Sequence[Entry], errors: list[AudioError]
) -> "Iterator[tuple[str, Timeline | AudioError]]":
    for name, problem in entries:
        answer: Timeline | AudioError
        try:
            if problem is not None:
                raise problem
            source = sys.stdin.buffer if name == STANDARD_INPUT else name
            answer = dataclasses.replace(recognizer.timeline(source), file=name)
        except AudioError as error:
            typer.echo(f"emogram: error: {error}", err=True)
            errors.append(error)
            answer = error
        yield name, answer


def _write(
    output: Format,
    answers: "Iterator[tuple[str, Timeline | AudioError]]",
    draw: "Callable[[Timeline], None] | None",
) -> None:
    from emogram.recognition.timeline_formats import as_csv

    before = "["
    header = True
    for name, answer in answers:
        if isinstance(answer, AudioError):
            if output is Format.JSON:
                fields = {"file": name, "error": f"{answer.problem}; {answer.remedy}"}
                typer.echo(f"{before}\n  {json.dumps(fields)}", nl=False)
                before = ","
            continue
        if output is Format.JSON:
            typer.echo(f"{before}\n  {json.dumps(answer.to_dict())}", nl=False)
            before = ","
        elif output is Format.CSV:
            typer.echo(as_csv(answer, header=header), nl=False)
            header = False
        elif output is Format.TABLE:
            typer.echo(str(answer))
        else:
            text = {Format.SRT: answer.to_srt, Format.VTT: answer.to_vtt, Format.AUDACITY: answer.to_audacity}
            typer.echo(text[output](), nl=False)
        if draw:
            draw(answer)
    if output is Format.JSON:
        typer.echo("[]" if before == "[" else "\n]")


def _drawing(picture: Path) -> "Callable[[Timeline], None]":
    """What draws it, checked before any recording is listened to."""
    if picture.suffix.lower() not in PICTURES:
        raise ConfigurationError(f"--plot: {picture} ends neither in .png nor in .svg; name it so")
    if not picture.absolute().parent.is_dir():
        raise ConfigurationError(f"--plot: the folder {picture.parent} does not exist; make it first")
    try:
        from emogram.report.timeline_picture import write_picture
    except ImportError:
        raise MissingExtraError("drawing a timeline", "train") from None
    return lambda timeline: write_picture(timeline, picture)
