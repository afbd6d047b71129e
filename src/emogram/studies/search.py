"""Search of configuration fields by validation score: Optuna proposes, the median of the others stops what lags.

The objective is the best validation score of a fit; the test part of the split is never looked at. Proposals come from
a tree-structured Parzen estimator (Bergstra et al., NIPS 2011), stopping from the median rule of Golovin et al. (KDD 2017)
after five trials and three epochs. Everything is kept in the storage, so that a search that was killed goes on.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, EmogramError, MissingExtraError, TrainingError
from emogram.training.configuration import Configuration
from emogram.training.data import generator
from emogram.training.history import Epoch
from emogram.training.run import validate_only
from emogram.training.run_folder import write_text

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

Configure = Callable[[Sequence[str]], Configuration]
"""The configuration with these further ``field=value`` overrides."""

_RANGE = re.compile(r"(?P<low>[^.:,]+(?:\.\d+)?(?:e[+-]?\d+)?)\.\.(?P<high>[^:,]+)(?P<log>:log)?", re.IGNORECASE)
_STARTUP_TRIALS, _WARM_UP_EPOCHS = 5, 3


@dataclass(frozen=True)
class Dimension:
    """A field and what it may be: whole numbers or numbers between two ends, or one of several values.

    Attributes:
        field: of the configuration.
        low: smallest value of a range.
        high: largest value of a range.
        log: whether proportions count instead of distances.
        choices: instead of a range, values as typed.
    """

    field: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[str, ...] = ()

    def propose(self, trial: "Trial") -> str:
        """Let a trial choose; as an override."""
        value: Any
        if self.choices:
            value = trial.suggest_categorical(self.field, self.choices)
        elif isinstance(self.low, int) and isinstance(self.high, int):
            value = trial.suggest_int(self.field, self.low, self.high, log=self.log)
        else:
            value = trial.suggest_float(self.field, self.low, self.high, log=self.log)
        return f"{self.field}={value}"

    def example(self) -> str:
        """An override that tells whether the field can have such values."""
        return f"{self.field}={self.choices[0] if self.choices else self.low}"


def read_dimension(text: str) -> Dimension:
    """Read ``FIELD=low..high``, ``FIELD=low..high:log`` or ``FIELD=a,b,c``; ends without a point are whole numbers.

    Raises:
        ConfigurationError: it is none of these.
    """
    field, separator, values = text.partition("=")
    if not separator or not field or not values:
        raise ConfigurationError(f"--space {text}: write FIELD=low..high, FIELD=low..high:log or FIELD=a,b,c")
    span = _RANGE.fullmatch(values)
    if span is None:
        choices = tuple(value.strip() for value in values.split(","))
        if len(set(choices)) < 2 or len(set(choices)) < len(choices) or not all(choices):
            raise ConfigurationError(f"--space {text}: give two different values or more, or a range low..high")
        return Dimension(field, choices=choices)
    try:
        low, high = (_number(span[end]) for end in ("low", "high"))
    except ValueError:
        raise ConfigurationError(f"--space {text}: a range goes from one number to another, 1e-4..1e-2") from None
    if not low < high or (span["log"] and low <= 0):
        raise ConfigurationError(f"--space {text}: the first must be the lower one, and above 0 with :log")
    return Dimension(field, low=low, high=high, log=bool(span["log"]))


def _number(text: str) -> float:
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def search(
    configure: Configure,
    space: Sequence[Dimension],
    clips: Sequence[Clip],
    folder: Path,
    *,
    trials: int,
    storage: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Fit until there are as many finished trials as asked for, and write what was best.

    The folder gets ``search.db`` unless a storage is named, ``best.yaml``, ``trials.csv`` and, with four finished trials
    or more, the figure ``importance``.

    Args:
        configure: gives the configuration of a trial.
        space: what is searched.
        clips: to split; the test part stays unread.
        folder: of the search.
        trials: in all, those of earlier calls included.
        storage: such as ``sqlite:///search.db`` or that of a shared database.
        say: told of every trial.

    Returns:
        ``value`` (the best validation score), ``metric``, ``changes`` (field to value), ``trials``, ``pruned``.

    Raises:
        ConfigurationError: a field that cannot have such values, or a storage that cannot be used or holds another search.
        MissingExtraError: Optuna is not installed.
        TrainingError: no trial could be finished.
    """
    optuna = _optuna()
    base = configure([dimension.example() for dimension in space])
    folder.mkdir(parents=True, exist_ok=True)
    study = _open(optuna, storage or f"sqlite:///{(folder / 'search.db').absolute()}", base, space, clips)

    def objective(trial: "Trial") -> float:
        study.sampler = _sampler(optuna, base.seed, trial.number)
        changes = [dimension.propose(trial) for dimension in space]
        return _fit(optuna, trial, configure(changes), clips, folder / f"trial-{trial.number}")

    left = trials - sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))
    if left > 0:
        study.optimize(
            objective, n_trials=left, callbacks=[lambda _, trial: say(_told(trial))], catch=(EmogramError, RuntimeError)
        )
    return _conclude(optuna, study, configure, base.fit.monitor, folder)


def _told(trial: "FrozenTrial") -> str:
    score = "" if trial.value is None else f" {trial.value:.4f}"
    failure = trial.system_attrs.get("fail_reason", "") if trial.state.name == "FAIL" else ""
    return f"trial {trial.number}: {trial.state.name.lower()}{score} {json.dumps(trial.params)} {failure}".rstrip()


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError("emogram search", "search") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _open(optuna: Any, storage: str, base: Configuration, space: Sequence[Dimension], clips: Sequence[Clip]) -> "Study":
    asked = _asked(base, space, clips)
    try:
        study: Study = optuna.create_study(
            storage=storage,
            study_name=base.name,
            load_if_exists=True,
            direction="minimize" if base.fit.monitor == "validation_loss" else "maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARM_UP_EPOCHS),
        )
        held = study.user_attrs.get("asked")
        if held is None:
            study.set_user_attr("asked", asked)
    except Exception as error:  # whatever the database says
        raise ConfigurationError(
            f"--storage {storage}: cannot be used ({' '.join(str(error).split())[:200]})"
        ) from error
    if held not in {None, asked}:
        raise ConfigurationError(f"{storage}: holds a search of another space, base or clips; choose another --output")
    return study


def _asked(base: Configuration, space: Sequence[Dimension], clips: Sequence[Clip]) -> str:
    """What trials of one search have in common; the parts of the clips follow from the clips and the split of the base."""
    # Searched fields of the base are as the space has them: whatever else they were, they make no other search.
    fixed = {name: value for name, value in base.determinants().items() if name != "seed"}
    rows = sorted([value for name, value in sorted(asdict(clip).items()) if name != "path"] for clip in clips)
    heard = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    return json.dumps([[str(dimension) for dimension in space], fixed, base.fit.monitor, heard], sort_keys=True)


def _sampler(optuna: Any, seed: int, number: int) -> Any:
    """What proposes one trial: the same for a search that was killed, and another for each of several workers."""
    drawn = int(generator(seed, "search", number).integers(2**32))
    return optuna.samplers.TPESampler(seed=drawn, n_startup_trials=_STARTUP_TRIALS)


def _fit(optuna: Any, trial: "Trial", configuration: Configuration, clips: Sequence[Clip], folder: Path) -> float:
    monitor = configuration.fit.monitor
    best = min if monitor == "validation_loss" else max

    def watch(epoch: Epoch) -> None:
        trial.report(getattr(epoch, monitor), epoch.epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    shutil.rmtree(folder, ignore_errors=True)  # a killed trial is another one when its number comes again
    try:
        return float(best(getattr(epoch, monitor) for epoch in validate_only(configuration, folder, clips, watch)))
    finally:
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _conclude(optuna: Any, study: "Study", configure: Configure, monitor: str, folder: Path) -> dict[str, Any]:
    finished = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not finished:
        raise TrainingError(f"{folder}: no trial could be finished; look at what the trials said, narrow the space")
    changes = dict(study.best_trial.params)
    write_text(folder / "best.yaml", configure([f"{field}={value}" for field, value in changes.items()]).to_yaml())
    _write_trials(study, folder)
    if len(finished) >= 4 and len(changes) > 1 and len({trial.value for trial in finished}) > 1:
        _draw_importance(optuna, study, folder)
    return {
        "value": study.best_value,
        "metric": monitor,
        "changes": changes,
        "trials": len(study.trials),
        "pruned": sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials),
    }


def _write_trials(study: "Study", folder: Path) -> None:
    fields = sorted({field for trial in study.trials for field in trial.params})
    lines = [",".join(["trial", "state", "value", *fields])]
    for trial in study.trials:
        values = [trial.number, trial.state.name.lower(), "" if trial.value is None else trial.value]
        lines.append(",".join(str(value) for value in [*values, *(trial.params.get(field, "") for field in fields)]))
    write_text(folder / "trials.csv", "\n".join(lines) + "\n")


def _draw_importance(optuna: Any, study: "Study", folder: Path) -> None:
    """How much of the variance of the score each field explains (functional ANOVA or its kin, as Optuna has it)."""
    from emogram.evaluation.figures import Marked, intervals, save  # noqa: PLC0415

    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    marked = [Marked(field, share, None, None, verdict="share") for field, share in shares.items()]
    title = f"What decided over {len(study.trials)} trials"
    save(intervals(marked, label="importance in % (PED-ANOVA)", title=title), folder / "importance")
