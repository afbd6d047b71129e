"""`emogram pretrain`: make a model that comes with emogram, from its recipe."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from emogram.cli.options import FoldsAtATime
from emogram.cli.training import counter, laboratory, tell
from emogram.errors import ConfigurationError

DATA_VARIABLE = "EMOGRAM_DATA"

Recipe = Annotated[
    list[str], typer.Argument(metavar="RECIPE.yaml [FIELD=VALUE]...", help="A recipe, and fields that override it.")
]
Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the corpora, the noise and published weights.", envvar=DATA_VARIABLE),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Folder; default pretrained/<name>.")]
Steps = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Some of: held-out, conditions, leave-corpus-out, release, bundle; default all."),
]
Folds = Annotated[str | None, typer.Option(metavar="1,2,…", help="Only these folds of the steps with folds.")]


def register(application: typer.Typer) -> None:
    """Add `pretrain` to the application."""
    application.command()(pretrain)


def pretrain(  # noqa: PLR0917 - the words of a command line
    settings: Recipe,
    data: Data = None,
    output: Output = None,
    steps: Steps = None,
    folds: Folds = None,
    jobs: FoldsAtATime = 1,
) -> None:
    """Train a model on every corpus, test it on speakers held out, and put it into one small file with its card.

    The steps: held-out (each fold of the published protocol, without the speakers that it tests), conditions (the same in
    background noise), leave-corpus-out, release (the weights that ship, from nearly everybody) and bundle (the file, and
    the folder of results that the card is made from). Killed and started again, it goes on where it was.

    Examples:
        emogram pretrain configurations/pretrained/base.yaml --data DATA --jobs 2

        emogram pretrain configurations/pretrained/base.yaml --data DATA --steps held-out --folds 1,2

        emogram pretrain configurations/pretrained/base.yaml --data DATA --steps release,bundle
    """
    with laboratory("emogram pretrain"):
        from emogram.pretraining.recipe import Plan, gather_clips, read_recipe
        from emogram.pretraining.steps import STEPS
        from emogram.pretraining.steps import pretrain as do
    if data is None:
        raise ConfigurationError(f"--data: none given; name the folder of the corpora, or set {DATA_VARIABLE}")
    recipe = read_recipe(_recipe(settings), [item for item in settings if "=" in item])
    folder = output or Path("pretrained") / recipe.name
    plan = Plan(recipe, data.absolute(), folder.absolute())
    chosen = _numbers(folds)
    known = plan.manifest().exists()
    clips = gather_clips(plan, progress=counter("clips read"))
    tell(
        f"{len(clips)} clips, {'from' if known else 'written down in'} {os.path.relpath(plan.manifest())}; delete it to read them anew"
    )
    do(plan, clips, steps=STEPS if steps is None else steps.split(","), folds=chosen, jobs=jobs, say=tell)
    tell(f"{os.path.relpath(folder)}: done")


def _recipe(settings: Sequence[str]) -> Path:
    files = [item for item in settings if "=" not in item]
    if len(files) != 1:
        raise ConfigurationError(f"{' '.join(files) or 'recipe'}: give one recipe; fields are FIELD=VALUE")
    return Path(files[0])


def _numbers(folds: str | None) -> list[int] | None:
    if folds is None:
        return None
    try:
        return [int(fold) for fold in folds.split(",")]
    except ValueError:
        raise ConfigurationError(f"--folds {folds}: write numbers such as 1,2,5") from None
