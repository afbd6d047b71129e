"""`emogram train` and `emogram evaluate`: fit a network, and look at what a fit is worth."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emogram.cli.options import CorporaOption, FoldsAtATime, places_of
from emogram.errors import AudioError, ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from emogram.corpora import Clip
    from emogram.evaluation.predictions import Predictions
    from emogram.training.configuration import Configuration

MetricsAsJson = Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")]


def register(application: typer.Typer) -> None:
    """Add `train` and `evaluate` to the application."""
    application.command()(train)
    application.command()(evaluate)


def train(  # noqa: PLR0917 - the words of a command line
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONFIGURATION.yaml] [FIELD=VALUE]...", help="A file, and fields that override it."),
    ] = None,
    corpus: CorporaOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Run folder; default runs/<name>.")] = None,
    folds: Annotated[
        str | None, typer.Option(metavar="all|1,2,…", help="Train and test several folds of the split, and pool them.")
    ] = None,
    jobs: FoldsAtATime = 1,
    as_json: MetricsAsJson = False,
) -> None:
    """Train a network on part of the clips, and test it on another part.

    Unless split.name says otherwise, the test is on speakers that were never heard in training. Every field has a
    default; the run folder holds the resolved configuration, the predictions, the model and report.html. Killed and
    started again with the same words, a run continues and ends with the same numbers.

    Examples:
        emogram train --corpus ravdess-speech=RAVDESS fit.epochs=20 network=cnn-small

        emogram train configurations/ravdess.yaml --corpus ravdess-speech=RAVDESS --folds all --jobs 2 -o runs/ravdess

        emogram train --corpus tess=TESS --corpus emodb=EMODB -o runs/tess-emodb
    """
    if jobs > 1 and folds is None:
        raise ConfigurationError(f"--jobs {jobs}: only folds are trained at a time; add --folds all")
    with laboratory("emogram train"):
        from emogram.evaluation.summary import table
        from emogram.report import write_folds_report, write_report
        from emogram.training.folds import train_folds
        from emogram.training.run import train as train_one
    configuration = read_settings(settings or [], corpus or [])
    folder = output or Path("runs") / configuration.name
    clips = gather_clips(configuration)
    if folds is None:
        metrics = train_one(configuration, folder, clips=clips, say=tell)
        page = write_report(folder)
    else:
        metrics = train_folds(configuration, folder, clips, folds=_chosen(folds), jobs=jobs, say=tell)
        page = write_folds_report(folder)
    typer.echo(json.dumps(metrics) if as_json else table(metrics["test"]))
    tell(f"report: {page}")


def evaluate(  # noqa: PLR0917 - the words of a command line
    source: Annotated[
        Path, typer.Argument(metavar="RUN|PREDICTIONS.csv|MODEL.onnx", help="What to evaluate.", exists=True)
    ],
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", "-c", metavar="NAME=PATH", help="For a model: the clips to test it on."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="CSV", help="For a model: where to keep its predictions.")
    ] = None,
    ensemble: Annotated[
        list[Path] | None,
        typer.Option(
            "--with", metavar="RUN|PREDICTIONS.csv", help="More of the same clips: the mean of all.", exists=True
        ),
    ] = None,
    own: Annotated[
        bool, typer.Option("--own-emotions", help="Answers are emotions that the tested clips have, and no others.")
    ] = False,
    as_json: MetricsAsJson = False,
) -> None:
    """Accuracy, recall, precision, F1, loss and calibration, with intervals over speakers.

    A run or a table of predictions is summed up again from what is stored. A model is run on corpora, and it is up to
    you that it never heard their speakers: where it learnt from a corpus of that name, this is said. Clips with an emotion
    that it was never taught are left out, and this is said too.

    Examples:
        emogram evaluate runs/ravdess

        emogram evaluate runs/ravdess --with runs/ravdess-seed-2      (an ensemble: their probabilities are averaged)

        emogram evaluate runs/ravdess/fold-1/predictions-validation.csv --json

        emogram evaluate model.onnx --corpus emodb=EMODB -o emodb.csv

        emogram evaluate emodb.csv --own-emotions      (a model of eight emotions on a corpus of six)
    """
    with laboratory("emogram evaluate"):
        from emogram.evaluation.predictions import among, own_emotions
        from emogram.evaluation.summary import summarise, table
    answers, failed = _answers(source, corpus, output, ensemble or [])
    summary = summarise(among(answers, own_emotions(answers)) if own else answers)
    typer.echo(json.dumps(summary) if as_json else table(summary))
    if failed:
        raise typer.Exit(1)


def _answers(
    source: Path, corpus: Sequence[str] | None, output: Path | None, ensemble: Sequence[Path]
) -> "tuple[Predictions, bool]":
    """The answers of a model, run or table, and of more of the same clips, and whether some clips could not be used."""
    from emogram.evaluation.predictions import mean, read_predictions, write_predictions

    more = [read_predictions(_predictions_of(path)) for path in ensemble]
    if source.suffix == ".onnx" and source.is_file():
        predictions, failed = _put_to_the_test(source, corpus)
        if output is not None:
            write_predictions(output, predictions)
    else:
        predictions, failed = _stored(source, corpus, output), False
    return mean([predictions, *more]), failed


def _stored(source: Path, corpus: Sequence[str] | None, output: Path | None) -> "Predictions":
    """The predictions of a run or table, which leaves nothing to options that go with a model."""
    from emogram.evaluation.predictions import read_predictions

    if corpus or output is not None:
        option = "--corpus" if corpus else "--output"
        raise ConfigurationError(f"{option}: goes with a model; {source} is summed up from what is stored")
    return read_predictions(_predictions_of(source))


def _predictions_of(source: Path) -> Path:
    return source / "predictions-test.csv" if source.is_dir() else source


def _put_to_the_test(model: Path, corpus: Sequence[str] | None) -> "tuple[Predictions, bool]":
    """The answers of a model, and whether some clips could not be used, which have been told."""
    from emogram.evaluation.model import predict_clips

    if not corpus:
        raise ConfigurationError(f"{model}: a model needs clips to be tested on; add --corpus NAME=PATH")
    unusable: list[AudioError] = []

    def refuse(error: AudioError) -> None:
        unusable.append(error)
        tell(f"emogram: error: {error}")

    answers = predict_clips(model, gather_clips(read_settings([], corpus), refuse))
    for error in answers.unusable:
        refuse(error)
    if answers.strange:
        emotions = ", ".join(sorted({clip.emotion for clip in answers.strange}))
        tell(f"{len(answers.strange)} clips left out: the model was never taught {emotions}")
    if answers.learnt:
        corpora = ", ".join(answers.learnt)
        tell(f"note: the model learnt from {corpora}; where it heard these speakers, this is no test of it")
    return answers.predictions, bool(unusable)


def read_settings(settings: Sequence[str], corpora: Sequence[str]) -> "Configuration":
    """The configuration from a file name, fields and corpora as typed.

    Raises:
        ConfigurationError: one of them is wrong.
    """
    with laboratory("reading a corpus for emogram evaluate and train"):
        from emogram.training.configuration import load

    files = [item for item in settings if "=" not in item]
    if len(files) > 1:
        raise ConfigurationError(f"{files[1]}: only one configuration file can be given; fields are FIELD=VALUE")
    overrides = [item for item in settings if "=" in item]
    overrides += [f"corpora.{name}={json.dumps(str(path))}" for name, path in places_of(corpora)]
    return load(Path(files[0]) if files else None, overrides)


def gather_clips(
    configuration: "Configuration", on_unreadable: "Callable[[AudioError], None] | None" = None
) -> "list[Clip]":
    """The clips of the configured corpora, with progress where a person looks; others as `gather` does."""
    from emogram.training.material import gather

    return gather(configuration, progress=counter("clips read"), on_unreadable=on_unreadable)


def tell(line: str) -> None:
    """A message for a person, on standard error."""
    typer.echo(line, err=True)


def _chosen(folds: str) -> list[int] | None:
    if folds == "all":
        return None
    try:
        return [int(fold) for fold in folds.split(",")]
    except ValueError:
        raise ConfigurationError(f"--folds {folds}: write all, or numbers such as 1,2,5") from None


def counter(what: str) -> Callable[[int, int], None]:
    """Progress on standard error, where a person looks: a function that is told how many are done, of how many."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            sys.stderr.write(f"\r{what}: {done} of {total}{end}")
            sys.stderr.flush()

    return show


@contextmanager
def laboratory(feature: str, extra: str = "train") -> Iterator[Any]:
    """Turn a missing optional dependency into the message that says which extra brings it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("emogram"):
            raise
        raise MissingExtraError(feature, extra) from error
