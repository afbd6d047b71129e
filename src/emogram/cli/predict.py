"""`emogram predict`: the emotion of recordings, as a table, JSON or CSV."""

import contextlib
import csv
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from emogram.cli.options import ModelOption
from emogram.errors import AudioError, ConfigurationError

if TYPE_CHECKING:
    from emogram.audio import Source
    from emogram.recognition import Prediction, Recognizer

SUFFIXES = (
    *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".nist", ".oga", ".ogg", ".opus"),
    *(".rf64", ".snd", ".sph", ".voc", ".w64", ".wav", ".wave"),
)
"""What counts as a recording inside a folder. A file that is named itself may be called anything."""

STANDARD_INPUT = "-"

Entry: TypeAlias = "tuple[str, AudioError | None]"
_Write: TypeAlias = "Callable[[str, Prediction | AudioError], None]"


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    SRT = "srt"
    VTT = "vtt"
    AUDACITY = "audacity"


_OF_TIMELINES = (Format.SRT, Format.VTT, Format.AUDACITY)


def register(application: typer.Typer) -> None:
    """Add `predict` to the application."""
    application.command()(predict)


def predict(
    recordings: Annotated[
        list[str],
        typer.Argument(metavar="FILE|DIR|-", help="Recordings, folders with all below them, - for standard input."),
    ],
    *,
    model: ModelOption = None,
    form: Annotated[
        Format | None, typer.Option("--format", "-f", help="How to write the results; table when left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The short way of --format json.")] = False,
    timeline: Annotated[
        bool, typer.Option("--timeline", "-t", help="Tell when which emotion is spoken, for long recordings.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the timeline of one recording as FILE, .png or .svg."),
    ] = None,
) -> None:
    """Recognise the emotion of recordings.

    Takes WAV, AIFF, FLAC, Ogg, MP3 and whatever else libsndfile reads, at any rate, length and number of channels.
    Recordings that cannot be used are named on standard error, the rest is answered, and the exit status is 1.

    Examples:
        emogram predict call.wav

        emogram predict --model model.onnx recordings/ --format csv > emotions.csv

        ffmpeg -i film.mp4 -f wav - | emogram predict - --json

        emogram predict call.mp3 --timeline --format srt --plot call.png > call.srt
    """
    if recordings.count(STANDARD_INPUT) > 1:
        raise ConfigurationError("-: standard input can be read only once; name it once")
    output = _format(form, as_json=as_json)
    if not timeline:
        _refuse_timelines(output, plot)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts threads as it is imported; none are used here
    from emogram.recognition import load

    recognizer = load(model)
    entries = [entry for name in recordings for entry in _expand(name)]
    if timeline:
        from emogram.cli.timeline import write_timelines

        write_timelines(recognizer, entries, output, plot)
    else:
        _write_predictions(recognizer, entries, output)


def _format(form: Format | None, *, as_json: bool) -> Format:
    if as_json and form is not None and form is not Format.JSON:
        raise ConfigurationError(f"--json: is --format json, and --format {form.value} is given too; leave out one")
    return Format.JSON if as_json else form or Format.TABLE


def _refuse_timelines(output: Format, plot: Path | None) -> None:
    if output in _OF_TIMELINES:
        raise ConfigurationError(f"--format: {output.value} is a format of timelines; add --timeline")
    if plot is not None:
        raise ConfigurationError("--plot: draws a timeline; add --timeline")


def _write_predictions(recognizer: "Recognizer", entries: Sequence[Entry], output: Format) -> None:
    """Answer one recording after the other; raises `typer.Exit` with status 1 when some could not be used."""
    failed = 0
    with _writer(output, [name for name, _ in entries], recognizer.emotions) as write:
        for done, (name, answer) in enumerate(_answers(recognizer, entries), start=1):
            if isinstance(answer, AudioError):
                failed += 1
                typer.echo(f"emogram: error: {answer}", err=True)
            write(name, answer)
            _show_progress(done, len(entries))
    if failed:
        raise typer.Exit(1)


def _expand(name: str) -> Iterator[Entry]:
    """A file as it is; in place of a folder the recordings in and below it, sorted, and what is wrong with it."""
    if name == STANDARD_INPUT or not Path(name).is_dir():
        yield name, None
        return
    found: list[Entry] = []

    def refuse(error: OSError) -> None:
        problem = AudioError(error.filename, f"is a folder that cannot be read ({error.strerror})", "check permissions")
        found.append((error.filename, problem))

    for parent, folders, files in os.walk(name, onerror=refuse):
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        wanted = [file for file in files if file.lower().endswith(SUFFIXES) and not file.startswith(".")]
        found += [(str(Path(parent, file)), None) for file in wanted]
    if not found:
        found.append((name, AudioError(name, "holds no recordings", "name the files, or another folder")))
    yield from sorted(found, key=lambda entry: entry[0])


def _answers(recognizer: "Recognizer", entries: Sequence[Entry]) -> "Iterator[tuple[str, Prediction | AudioError]]":
    sources: Iterator[Source] = (
        sys.stdin.buffer if name == STANDARD_INPUT else name for name, problem in entries if problem is None
    )
    answers = recognizer.predict_many(sources, workers=1 if len(entries) == 1 else None)
    for name, problem in entries:
        answer = problem or next(answers)
        yield name, answer if isinstance(answer, AudioError) else dataclasses.replace(answer, file=name)


def _writer(output: Format, names: Sequence[str], emotions: Sequence[str]) -> contextlib.AbstractContextManager[_Write]:
    if output is Format.JSON:
        return _write_json()
    return _write_csv(emotions) if output is Format.CSV else _write_table(names, emotions)


def _fields(name: str, answer: "Prediction | AudioError") -> dict[str, Any]:
    if isinstance(answer, AudioError):
        return {"file": name, "error": f"{answer.problem}; {answer.remedy}"}
    return answer.to_dict()


@contextlib.contextmanager
def _write_json() -> Iterator[_Write]:
    before = "["

    def write(name: str, answer: "Prediction | AudioError") -> None:
        nonlocal before
        typer.echo(f"{before}\n  {json.dumps(_fields(name, answer))}", nl=False)
        before = ","

    try:
        yield write
    finally:
        typer.echo("[]" if before == "[" else "\n]")


@contextlib.contextmanager
def _write_csv(emotions: Sequence[str]) -> Iterator[_Write]:
    columns = ["file", "emotion", "confidence", "duration_s", "model", *emotions, "error", "uncertain", "warnings"]
    table = csv.DictWriter(sys.stdout, columns, restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()

    def write(name: str, answer: "Prediction | AudioError") -> None:
        fields = _fields(name, answer)
        if not isinstance(answer, AudioError):
            problems = " ".join(warning.problem.value for warning in answer.warnings)
            fields |= {**answer.probabilities, "uncertain": str(answer.uncertain).lower(), "warnings": problems}
        table.writerow(fields)

    yield write


@contextlib.contextmanager
def _write_table(names: Sequence[str], emotions: Sequence[str]) -> Iterator[_Write]:
    from emogram.audio import name_of

    file_width = max((len(name_of(name)) for name in names), default=0)
    width = max(len(emotion) for emotion in emotions)
    full = "█" if "utf" in (sys.stdout.encoding or "").lower() else "#"
    typer.echo(
        f"{'file':<{file_width}}  {'emotion':<{width}}  {'confidence':<16}  {'next':<{width + 6}}  {'length':>8}"
    )

    def write(name: str, answer: "Prediction | AudioError") -> None:
        file = f"{name_of(name):<{file_width}}"
        if isinstance(answer, AudioError):
            typer.echo(f"{file}  {'-':<{width}}  {answer.problem}")
            return
        [(emotion, probability)] = sorted(answer.probabilities.items(), key=lambda item: -item[1])[1:2]
        bar = full * round(10 * answer.confidence)
        following = f"{emotion:<{width}} {probability:>4.0%}"
        uncertain = ["uncertain"] if answer.uncertain and answer.has_speech else []
        notes = "; ".join([*uncertain, *map(str, answer.warnings)])
        line = (
            f"{file}  {answer.emotion:<{width}}  {answer.confidence:>4.0%}  {bar:<10}  "
            f"{following:<{width + 6}}  {answer.duration_s:>6.1f} s  {notes}"
        )
        typer.echo(line.rstrip())

    yield write


def _show_progress(done: int, total: int) -> None:
    """Count on standard error, where a person looks there and sees no results pass by."""
    if total > 1 and sys.stderr.isatty() and not sys.stdout.isatty():
        typer.echo(f"\r{done}/{total}", err=True, nl=done == total)
