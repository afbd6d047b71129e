"""`emogram render`: a corpus as folders of spectrogram images and arrays, for other software."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram import processors
from emogram.cli.training import gather_clips, laboratory, tell
from emogram.cli.typed import Typed, names_in, sort_out
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.pictures.rendering import Progress
    from emogram.training.configuration import Configuration

_CLIPS_PER_PROCESS = 200
"""Fewer are done before another process has started."""

Words = Annotated[
    list[str],
    typer.Argument(metavar="CORPUS=PATH... [CONFIGURATION.yaml] [FIELD=VALUE]...", help="Corpora, and settings."),
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to make, or to go on with.")]
SpectrogramName = Annotated[
    str | None, typer.Option("--spectrogram", "-s", metavar="NAME", help="The type: emogram list spectrograms.")
]
SplitName = Annotated[
    str | None, typer.Option(metavar="NAME", help="How to part the clips; speakers are kept apart by default.")
]
Fold = Annotated[int | None, typer.Option(min=1, help="Fold of the split that is tested.")]
Formats = Annotated[
    list[str] | None, typer.Option("--format", metavar="png|npy", help="Images, arrays; both by default.")
]
GreyBits = Annotated[int, typer.Option(metavar="8|16", help="Of a grey level.")]
Seconds = Annotated[
    float | None,
    typer.Option("--clip-s", metavar="SECONDS", min=0.05, max=600, help="Cut or pad every clip about its middle."),
]
Jobs = Annotated[int | None, typer.Option(min=1, max=256, help="Processes; as many as processors.")]


def register(application: typer.Typer) -> None:
    """Add `render` to the application."""
    application.command()(render)


def render(  # noqa: PLR0917 - the words of a command line
    words: Words,
    output: Output,
    spectrogram: SpectrogramName = None,
    split: SplitName = None,
    fold: Fold = None,
    formats: Formats = None,
    bits: GreyBits = 8,
    clip_s: Seconds = None,
    jobs: Jobs = None,
) -> None:
    """Write a corpus as images to look at and arrays to compute with, in folders part/emotion/clip.

    DIR/images holds lossless PNG, DIR/arrays NumPy files of float32; torchvision's ImageFolder and Keras'
    image_dataset_from_directory read DIR/images/train and its like as they are. DIR/render.json tells scaling, axes and
    settings, DIR/clips.csv the speaker of every clip. Grey levels are scaled by the training part alone. Killed and
    started again with the same words, it goes on where it was.

    Examples:
        emogram render ravdess-speech=RAVDESS -o pictures --spectrogram logmel --clip-s 3

        emogram render ravdess-speech=RAVDESS -o fold-2 --split ravdess-emobox --fold 2 --format png

        emogram render tess=TESS emodb=EMODB -o both --spectrogram cqt spectrogram.n_bins=72
    """
    with laboratory("emogram render"):
        import PIL.Image  # noqa: F401 - to know early that all is there

        from emogram.pictures.rendering import render as render_corpus
    configuration = _configuration(words, names_in([spectrogram] if spectrogram else None), split, fold)
    if bits not in {8, 16}:
        raise ConfigurationError(f"--bits {bits}: choose 8 or 16")
    clips = gather_clips(configuration)
    processes = jobs or max(1, min(processors.count(), len(clips) // _CLIPS_PER_PROCESS))
    with _bars() as progress:
        content = render_corpus(
            configuration,
            output,
            clips,
            clip_s=clip_s,
            bits=16 if bits == 16 else 8,
            formats=names_in(formats) or ["png", "npy"],
            jobs=processes,
            progress=progress,
        )
    for note in content["notes"]:
        tell(f"note: {note}")
    sizes = ", ".join(f"{sum(counts.values())} {part}" for part, counts in content["clips"].items())
    tell(f"{output}: {sizes} clips as {' and '.join(content['formats'])}")
    typer.echo(str(output))


def _configuration(
    words: Sequence[str], spectrograms: Sequence[str], split: str | None, fold: int | None
) -> "Configuration":
    if len(spectrograms) > 1:
        raise ConfigurationError(f"--spectrogram {','.join(spectrograms)}: one type a folder; run it once for each")
    chosen = {"spectrogram.name": spectrograms[0] if spectrograms else None, "split.name": split, "split.fold": fold}
    more = [f"{field}={value}" for field, value in chosen.items() if value is not None]
    return _with_corpora(sort_out(words)).configuration(*more)


def _with_corpora(typed: Typed) -> Typed:
    """NAME=PATH of a corpus becomes a field; what is neither a field nor a corpus is told as a corpus.

    Raises:
        ConfigurationError: a word that is neither.
    """
    from emogram.corpora import get
    from emogram.training.configuration import Configuration

    if typed.rest:
        raise ConfigurationError(f"{typed.rest[0]}: write CORPUS=PATH, for example ravdess-speech=RAVDESS")
    fields = []
    for word in typed.fields:
        name, _, value = word.partition("=")
        if name.strip().partition(".")[0] in Configuration.model_fields:
            fields.append(word)
        else:
            fields.append(f"corpora.{get(name.strip()).name}={json.dumps(value)}")
    return Typed(typed.file, tuple(fields), ())


@contextmanager
def _bars() -> "Iterator[Progress]":
    """A bar for each thing that is told, on standard error, where a person looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield show
