"""`emogram adapt`: a model that comes along, fitted to one's own speakers, language and emotions."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emogram.cli.options import CorporaOption, LabelsOption, ModelOption, label_map, places_of
from emogram.cli.training import counter, laboratory, tell
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.adaptation import Adaptation
    from emogram.corpora import Clip

Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FOLDER|TABLE.csv]...",
        help="Your clips: folders of emotions, or of speakers and emotions, or a table.",
    ),
]

Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The adapted model.")]
Kept = Annotated[
    Path | None, typer.Option(metavar="CSV", help="Where to keep the answers that the scores are made from.")
]
Prior = Annotated[
    float | None, typer.Option(help="How strongly the layer is drawn towards what it was; usually 0.004.")
]
Curve = Annotated[bool, typer.Option("--curve", help="Tell what 1, 2, 4, 8 … clips of each emotion are worth.")]
Json = Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")]


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command()(adapt)


def adapt(  # noqa: PLR0917 - the words of a command line
    own: Folders = None,
    corpus: CorporaOption = None,
    label: LabelsOption = None,
    model: ModelOption = None,
    output: Output = Path("adapted.onnx"),
    predictions: Kept = None,
    prior: Prior = None,
    curve: Curve = False,
    as_json: Json = False,
) -> None:
    """Adapt a model to your own speakers, language, microphone and emotions: seconds, and no torch.

    The network stays as it is; its last layer is fitted to your labelled clips, drawn towards what it was. Ten clips of each
    emotion go a long way. It is tested on speakers that it was not fitted to, where there are several, beside the model as
    it was. The emotions of the clips are those that the new model tells apart; they may be new to it.

    Examples:
        emogram adapt mine -o anna.onnx      (after emogram record --speaker anna -o mine, twice or more)

        emogram adapt calls/ --label furious=angry --model large -o calls.onnx

        emogram adapt --corpus emodb=EMODB --model large --curve -o german.onnx
    """
    with laboratory("emogram adapt", "adapt"):
        from emogram.adaptation import PRIOR
        from emogram.adaptation import adapt as adapt_model
        from emogram.evaluation.predictions import write_predictions
        from emogram.evaluation.summary import summarise, table
    _require_room(output, predictions)
    clips = _gathered(own or [], corpus or [], label)
    made = adapt_model(
        clips,
        model,
        name=output.stem,
        prior=PRIOR if prior is None else prior,
        counts=_counts(clips) if curve else (),
        progress=counter("clips heard"),
    )
    made.save(output)
    if predictions is not None:
        write_predictions(predictions, made.after)
    if as_json:
        typer.echo(json.dumps(_facts(made)))
    else:
        typer.echo(table(summarise(made.after)))
        if curve:
            _print_curve(made)
    _tell_all(made, output)


def _require_room(output: Path, predictions: Path | None) -> None:
    """Refuse what cannot be written before anything is listened to."""
    for option, path in (("--output", output), ("--predictions", predictions)):
        if path is not None and path.is_dir():
            raise ConfigurationError(f"{option} {path}: is a folder; name a file in it")
        if path is not None and not path.parent.is_dir():
            raise ConfigurationError(f"{option} {path}: {path.parent} is no folder; make it first")


def _gathered(own: Sequence[Path], named: Sequence[str], label: Sequence[str] | None) -> "list[Clip]":
    """The clips of folders and tables, and of corpora."""
    from emogram import corpora

    places = [("csv" if path.suffix == ".csv" else "folder", path) for path in own] + places_of(named)
    if not places:
        raise ConfigurationError("adapt: no clips given; name a folder of emotions, or --corpus NAME=PATH")
    return corpora.scan_all(places, labels=label_map(label), progress=counter("clips read"))


def _counts(clips: "Sequence[Clip]") -> list[int]:
    """1, 2, 4 … clips of an emotion, below those of the most frequent one."""
    most = max(Counter(clip.emotion for clip in clips).values(), default=0)
    return [2**power for power in range(most.bit_length()) if 2**power < most]


def _print_curve(made: "Adaptation") -> None:
    from emogram.evaluation.statistics import estimate

    points = [(f"{count}", answers) for count, answers in made.curve.items()] + [("all", made.after)]
    if made.before is not None:
        points.insert(0, ("none", made.before))
    typer.echo("clips of each emotion  accuracy  95 % interval")
    for name, answers in points:
        found = estimate(answers).metrics["accuracy"]
        span = "" if found.low is None or found.high is None else f"{100 * found.low:.1f} to {100 * found.high:.1f} %"
        typer.echo(f"{name:>21}  {100 * found.value:>6.1f} %  {span:>14}")


def _tell_all(made: "Adaptation", output: Path) -> None:
    if made.new:
        tell(f"new to the model: {', '.join(made.new)}")
    comparisons = [found for metric in ("accuracy", "uar") if (found := made.compare(metric)) is not None]
    for comparison in comparisons:
        tell(comparison.sentence)
    if comparisons and comparisons[0].first <= comparisons[0].second:
        tell("note: on these clips the adapted model is no better: keep the model as it was, or adapt it to more clips")
    for note in made.notes:
        tell(f"note: {note}")
    tell(f"adapted model: {output} ({len(made.content) / 1e6:.1f} MB); try: emogram predict --model {output} RECORDING")


def _facts(made: "Adaptation") -> dict[str, Any]:
    from emogram.evaluation.summary import summarise

    return {
        "model": made.origin,
        "corpora": sorted(set(made.after.corpora)),
        "emotions": list(made.info.labels),
        "new": list(made.new),
        "speaker_disjoint": made.speaker_disjoint,
        "notes": list(made.notes),
        "before": None if made.before is None else summarise(made.before),
        "after": summarise(made.after),
        "curve": {count: summarise(answers)["metrics"] for count, answers in made.curve.items()},
    }
