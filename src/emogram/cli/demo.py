"""`emogram demo`: the whole path once, small enough for a coffee break."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.options import places_of
from emogram.cli.training import gather_clips, laboratory, read_settings, tell
from emogram.cli.voices import SYNTHETIC, render_beside
from emogram.errors import LeakError, SplitError, TrainingError

if TYPE_CHECKING:
    from emogram.training.configuration import Configuration


def register(application: typer.Typer) -> None:
    """Add `demo` to the application."""
    application.command()(demo)


def demo(
    corpus: Annotated[
        str | None,
        typer.Option("--corpus", "-c", metavar="NAME=PATH", help="A real corpus; without one, synthetic voices."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")] = Path("emogram-demo"),
) -> None:
    """Train a small network, test it on voices it never heard, and let it recognise one of them.

    Without a corpus, it renders synthetic voices: they show that everything works, and are no benchmark.

    Examples:
        emogram demo

        emogram demo --corpus ravdess-speech=RAVDESS -o demo-ravdess
    """
    with laboratory("emogram demo"):
        from emogram.evaluation.summary import table
        from emogram.recognition import load
        from emogram.report import write_report
        from emogram.training.run import train
    _check_folder(output)
    configuration = _configuration(corpus, output)
    clips = gather_clips(configuration)
    run = output / "run"
    try:
        metrics = train(configuration, run, clips=clips, say=tell)
    except LeakError:
        raise
    except SplitError as error:
        command = f"emogram train --corpus {shlex.quote(corpus or '')} split.name=stratified"
        raise SplitError(f"{error}; the demo cannot, but this can: {command}") from error
    page = write_report(run)
    model = run / "model.onnx"
    typer.echo(table(metrics["test"]))
    heard = _held_out(run)
    typer.echo(f"\nA clip of a voice that it never heard, spoken {heard[1]}:\n  {load(model).predict(heard[0])}")
    program = _program()
    typer.echo(f"\nReport:  {page}\nModel:   {model}\n\nTry next:")
    typer.echo(f"  {program} predict --model {shlex.quote(str(model))} {shlex.quote(heard[0])}")
    typer.echo(f"  {program} evaluate {shlex.quote(str(run))}")
    typer.echo(f"  {program} corpus list")
    typer.echo(f"  {program} train --corpus ravdess-speech=RAVDESS split.name=ravdess-emobox -o runs/ravdess")


def _program() -> str:
    """How to call emogram from here: by its name where the shell finds it, else by where it lies."""
    called = Path(sys.argv[0])
    if called.name != "emogram" or shutil.which("emogram") or not called.is_file():
        return "emogram"
    here = Path.cwd()
    shown = called.absolute()
    return shlex.quote(str(shown.relative_to(here) if shown.is_relative_to(here) else shown))


def _check_folder(output: Path) -> None:
    """Make sure that nothing is put between files that are none of the demo's."""
    if output.exists() and not output.is_dir():
        raise TrainingError(f"{output}: is a file; choose a folder with --output")
    names = {path.name for path in output.iterdir()} if output.exists() else set()
    if names and not names & {"voices", "voices.partial", "run"}:
        raise TrainingError(f"{output}: is not empty and holds no demo; choose another folder with --output")


def _configuration(corpus: str | None, output: Path) -> "Configuration":
    settings = ["network=cnn-tiny", "audio.clip_s=2", "fit.epochs=24", "fit.batch_size=16", "spectrogram.n_mels=48"]
    # So few epochs are spent best on clips as they are, or nearly.
    settings += ["augmentation.waveform=[{name: speed, factor: [0.95, 1.05]}, gain]", "augmentation.batch=[]"]
    settings += ["augmentation.spectrogram=[filter_augment, {name: masks, masks: 1}]"]
    if corpus is None:
        voices = output / "voices"
        if not voices.exists():
            render_beside(voices).rename(voices)
        corpus = f"{SYNTHETIC}={voices}"
    [(name, _)] = places_of([corpus])
    return read_settings([f"name=demo-{name}", *settings], [corpus])


def _held_out(run: Path) -> tuple[str, str]:
    """Path and emotion of the first test clip that the model was sure of and right about, else of any."""
    from emogram.corpora import read_manifest
    from emogram.evaluation.predictions import read_predictions

    answers = read_predictions(run / "predictions-test.csv")
    right = answers.predicted == answers.truth
    best = int((answers.confidence + right).argmax())
    paths = {clip.clip_id: clip.path for clip in read_manifest(run / "manifest.csv")}
    return paths[answers.clip_ids[best]], answers.emotions[int(answers.truth[best])]
