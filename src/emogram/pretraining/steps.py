"""The steps to a bundled model, each resumable: killed at any moment and started again, it goes on where it was.

``held-out``: each fold of the published protocol, trained on every corpus without the fold's speakers.
``conditions``: the answers of each fold's compact file for its test part, clean and under background noise.
``leave-corpus-out``: each corpus tested by a network that was trained on the others.
``release``: the weights that ship, from nearly everybody.
``bundle``: the file and its card, from all of that.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from emogram import processors, splits
from emogram.augmentation.noise import BackgroundSettings
from emogram.augmentation.recordings import Recordings
from emogram.corpora.clip import Clip, read_manifest
from emogram.errors import ConfigurationError, EmogramError, TrainingError, did_you_mean
from emogram.evaluation.predictions import read_predictions, write_predictions
from emogram.networks.compaction import compact
from emogram.pretraining.bundle import bundle
from emogram.pretraining.recipe import HELD_OUT, LEFT_OUT, RELEASE, Plan, Recipe, gather_clips
from emogram.studies.conditions import Background, Clean, ModelFile, predict
from emogram.training.cache import default_folder
from emogram.training.configuration import Configuration
from emogram.training.folds import of_fold
from emogram.training.outcome import MODEL
from emogram.training.processes import each_in_a_process
from emogram.training.run import Say, train
from emogram.training.run_folder import METRICS

CONDITIONS, BUNDLE = "conditions", "bundle"
STEPS: tuple[str, ...] = (HELD_OUT, CONDITIONS, LEFT_OUT, RELEASE, BUNDLE)
"""In the order in which they build on each other."""


def pretrain(
    plan: Plan,
    clips: Sequence[Clip],
    *,
    steps: Sequence[str] = STEPS,
    folds: Sequence[int] | None = None,
    jobs: int = 1,
    say: Say = lambda _: None,
) -> None:
    """Do the steps that are asked for, as far as they are not done.

    Args:
        plan: of the model.
        clips: of its corpora.
        steps: some of `STEPS`.
        folds: which folds of `held-out`, `conditions` and `leave-corpus-out`; all where None.
        jobs: folds at a time, each in a process with its share of the processors.
        say: told what happens.

    Raises:
        ConfigurationError: no such step or fold, or a recipe whose configuration cannot be.
        TrainingError: a fold failed; the others of its step are finished before.
        EmogramError: as training.
    """
    for step in steps:
        if step not in STEPS:
            raise ConfigurationError(
                f"--steps {step}: no such step{did_you_mean(step, STEPS)}; choose {', '.join(STEPS)}"
            )
    clips = plan.chosen(clips)
    _require_other_noise(plan)
    for step in (step for step in STEPS if step in steps):
        say(f"{plan.recipe.name}: {step}")
        if step == HELD_OUT:
            _train_folds(plan, step, clips, chosen=folds, jobs=jobs, say=say)
        elif step == LEFT_OUT:
            together = plan.chosen(gather_clips(plan, step)) if plan.recipe.left_out.corpora else clips
            if len({clip.corpus for clip in together}) == 1:
                say(f"{step}: there is one corpus, and none to train on without it")
            else:
                _train_folds(plan, step, together, chosen=folds, jobs=jobs, say=say)
        elif step == CONDITIONS:
            _hear_conditions(plan, clips, folds, jobs, say)
        elif step == RELEASE:
            train(plan.configuration(RELEASE), plan.run_folder(RELEASE, 1), clips=clips, say=say)
        else:
            path = bundle(plan, clips)
            say(f"{plan.recipe.name}: {path}, {path.stat().st_size / 1e6:.1f} MB")


def _require_other_noise(plan: Plan) -> None:
    """Make sure that no recording sounds in training that is tested with.

    Raises:
        ConfigurationError: one does; names it.
    """
    run, recipe = plan.configuration(HELD_OUT), plan.recipe
    chain = (*run.augmentation.waveform, *(run.distillation.noise if run.distillation is not None else ()))
    backgrounds = [step for step in chain if isinstance(step, BackgroundSettings)]
    if not backgrounds:
        return
    recordings = Recordings(run.audio.sample_rate)
    folder = plan.data / recipe.noise
    tested = {folder.absolute() / name for name in recordings.names(folder, recipe.noise_recordings)}
    for step in backgrounds:
        where, names = step.sounding(recordings)
        common = sorted(tested & {where.absolute() / name for name in names})
        if common:
            raise ConfigurationError(
                f"recipe {recipe.name}: {common[0]} sounds in training and is tested with; choose other recordings for one of them"
            )


def _folds(plan: Plan, step: str, clips: Sequence[Clip], chosen: Sequence[int] | None) -> list[int]:
    split = plan.configuration(step).split
    count = splits.n_folds(clips, split.name, folds=split.folds)
    if chosen is None:
        return list(range(1, count + 1))
    if not set(chosen) <= set(range(1, count + 1)):
        raise ConfigurationError(
            f"--folds: {step} has folds 1 to {count}; with --steps choose the steps they are meant for"
        )
    return list(dict.fromkeys(chosen))


def _train_folds(
    plan: Plan, step: str, clips: Sequence[Clip], *, chosen: Sequence[int] | None, jobs: int, say: Say
) -> None:
    arguments = {
        fold: (of_fold(plan.configuration(step, fold), fold, jobs=jobs), plan.run_folder(step, fold), clips)
        for fold in _folds(plan, step, clips, chosen)
    }
    _each(_train, arguments, jobs, step, say)


def _train(configuration: Configuration, folder: Path, clips: Sequence[Clip]) -> str:
    metrics = train(configuration, folder, clips=clips)
    scores = metrics["test"]["metrics"]
    return f"accuracy {100 * scores['accuracy']['value']:.1f} %, UAR {100 * scores['uar']['value']:.1f} %"


def _hear_conditions(plan: Plan, clips: Sequence[Clip], chosen: Sequence[int] | None, jobs: int, say: Say) -> None:
    recipe = plan.recipe
    arguments = {}
    for fold in _folds(plan, HELD_OUT, clips, chosen):
        run = plan.run_folder(HELD_OUT, fold)
        if not (run / METRICS).exists():
            raise TrainingError(f"{run}: is not done; do the step {HELD_OUT} first")
        cache = plan.configuration(HELD_OUT).runtime.cache or default_folder()
        threads = max(1, processors.count() // jobs)
        arguments[fold] = (run, conditions(recipe, plan.data), recipe, cache, threads)
    _each(_hear, arguments, jobs, CONDITIONS, say)


def conditions(recipe: Recipe, data: Path) -> dict[str, Clean | Background]:
    """What a model is tested under, by the names of the files that hold its answers."""
    noisy: dict[str, Clean | Background] = {
        f"background-{snr_db:g}dB": Background(
            snr_db=snr_db, folder=data / recipe.noise, recordings=recipe.noise_recordings
        )
        for snr_db in recipe.snr_db
    }
    return {"clean": Clean(), **noisy}


def _hear(run: Path, under: Mapping[str, Clean | Background], recipe: Recipe, cache: Path, threads: int) -> str:
    """Answers of a fold's compact file for its test part under every condition, kept in the run's folder."""
    folder = run / CONDITIONS / recipe.compaction
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in under if not (folder / f"{name}.csv").exists()]
    if missing:
        tested = set(read_predictions(run / "predictions-test.csv").clip_ids)
        clips = [clip for clip in read_manifest(run / "manifest.csv") if clip.clip_id in tested]
        compact(run / MODEL, folder / MODEL, bits=recipe.bits, whole_products=recipe.whole_products)
        hearer = ModelFile(folder / MODEL, threads)
        for name in missing:
            write_predictions(folder / f"{name}.csv", predict(hearer, clips, under[name], cache))
    return "done"


def _each(
    function: Callable[..., str], arguments: Mapping[int, tuple[Any, ...]], jobs: int, step: str, say: Say
) -> None:
    """Call a function for every fold, tell each outcome, and raise where one failed."""
    failed: dict[int, EmogramError] = {}
    outcomes = _in_turn(function, arguments) if jobs == 1 else each_in_a_process(function, arguments, jobs=jobs)
    with closing(outcomes):
        for fold, outcome in outcomes:
            if isinstance(outcome, ConfigurationError):  # no other fold would do better
                raise outcome
            if isinstance(outcome, EmogramError):
                failed[fold] = outcome
            say(f"{step}, fold {fold}: {outcome}")
    if failed:
        first = min(failed)
        raise TrainingError(f"{step}: {len(failed)} of {len(arguments)} folds failed; fold {first}: {failed[first]}")


def _in_turn(
    function: Callable[..., str], arguments: Mapping[int, tuple[Any, ...]]
) -> Generator[tuple[int, str | EmogramError], None, None]:
    for fold, given in arguments.items():
        try:
            yield fold, function(*given)
        except EmogramError as error:
            yield fold, error
