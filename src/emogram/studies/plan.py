"""The plan of a study: which runs its points need, by key; written down, so that tables need no audio."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, EmogramError, TrainingError
from emogram.studies.conditions import OtherCorpus, stem
from emogram.studies.groups import group
from emogram.studies.points import Point, configure, points
from emogram.studies.store import Store
from emogram.studies.study import Study, check_study
from emogram.training.configuration import Configuration, load
from emogram.training.material import Material, gather, prepare
from emogram.training.run_folder import read_json, write_json

PLAN = "plan.json"
Clips = Mapping[str, Sequence[Clip]]
"""The clips of every corpus by its name."""


@dataclass(frozen=True)
class Planned:
    """One run that a point needs.

    Attributes:
        point: name of the point.
        fold: of the split.
        seed: of the run.
        key: of the run in the store; several points may need the same.
        conditions: label of each condition to the stem of its predictions.
    """

    point: str
    fold: int
    seed: int
    key: str
    conditions: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """All runs of a study, those of one fold and seed together, so that a study that is stopped can be compared.

    Attributes:
        study: as read.
        factors: of each point, by axis.
        runs: in the order in which they are done.
        groups: identifiers of the clips that are scored apart, by the label of their group.
    """

    study: Study
    factors: dict[str, dict[str, str]]
    runs: tuple[Planned, ...]
    groups: dict[str, list[str]] = field(default_factory=dict)

    def of_point(self, point: str) -> list[Planned]:
        """The runs that a point needs."""
        return [run for run in self.runs if run.point == point]

    def same(self, point: str, other: str) -> bool:
        """Whether two points are the same runs."""
        keys = [{(run.fold, run.seed, run.key) for run in self.of_point(name)} for name in (point, other)]
        return keys[0] == keys[1]

    def write(self, store: Store) -> None:
        """Write the plan into the study's folder."""
        folder = store.study(self.study.name)
        folder.mkdir(parents=True, exist_ok=True)
        runs = [asdict(run) for run in self.runs]
        study = self.study.model_dump(mode="json")
        content = {"study": study, "factors": self.factors, "runs": runs, "groups": self.groups}
        write_json(folder / PLAN, content)


@dataclass(frozen=True)
class Task:
    """A run to be done, with all that it takes.

    Attributes:
        run: the first of the study's runs with this key.
        configuration: of the run.
        corpora: it trains and tests on.
    """

    run: Planned
    configuration: Configuration
    corpora: tuple[str, ...]


def make_plan(study: Study, clips: Clips, paths: Mapping[str, Path]) -> tuple[Plan, list[Task]]:
    """Work out every run's key.

    Args:
        study: as read.
        clips: of every corpus that the study names.
        paths: where the corpora lie.

    Returns:
        The plan, and a task for each distinct key.

    Raises:
        ConfigurationError: a point that cannot be, or more runs than the budget allows.
        SplitError: a split that cannot be made.
    """
    found = points(study)
    materials: dict[str, Material] = {}
    runs: list[Planned] = []
    tasks: dict[str, Task] = {}
    for point, fold, seed in _in_order(found):
        chosen = {name: paths[name] for name in point.corpora}
        configuration = configure(study, point, fold, seed, chosen)
        place = f"{point.corpora} {configuration.split.model_dump_json()}"
        try:
            if place not in materials:
                materials[place] = prepare(configuration, joined(clips, point.corpora))
            key = materials[place].identity(configuration)
        except EmogramError as error:
            where = "" if f"fold {fold};" in str(error) else f", fold {fold}"
            raise type(error)(f"{study.name}: point '{point.name}'{where}: {error}") from error
        conditions = {
            condition.label: stem(condition, clips[condition.corpus] if isinstance(condition, OtherCorpus) else ())
            for condition in study.conditions
            if not (isinstance(condition, OtherCorpus) and condition.corpus in point.corpora)
        }
        run = Planned(point.name, fold, seed, key, conditions)
        runs.append(run)
        tasks.setdefault(key, Task(run, configuration, point.corpora))
    if len(tasks) > study.budget.runs:
        raise ConfigurationError(
            f"{study.name}: {len(tasks)} runs are planned and the budget allows {study.budget.runs}; take points, folds "
            "or seeds out, or raise budget.runs and say so in its words"
        )
    trained_on = dict.fromkeys(name for point in found for name in point.corpora)
    groups = group(joined(clips, list(trained_on)), study.groups)
    return Plan(study, {point.name: point.factors for point in found}, tuple(runs), groups), list(tasks.values())


def corpora_of(study: Study) -> list[str]:
    """Every corpus that a study needs, in the order in which it names them."""
    named = [name for point in points(study) for name in point.corpora]
    named += [condition.corpus for condition in study.conditions if isinstance(condition, OtherCorpus)]
    return list(dict.fromkeys(named))


def gather_corpora(
    study: Study, paths: Mapping[str, Path], progress: Callable[[int, int], None] | None = None
) -> dict[str, list[Clip]]:
    """The clips of every corpus that a study needs.

    Raises:
        ConfigurationError: a corpus whose place was not given.
        EmogramError: as `emogram.training.material.gather`.
    """
    needed = corpora_of(study)
    missing = [name for name in needed if name not in paths]
    if missing:
        raise ConfigurationError(
            f"{study.name}: needs the corpus {missing[0]}; say where it lies: --corpus {missing[0]}=PATH"
        )
    blank = load()
    return {
        name: gather(blank.model_copy(update={"corpora": {name: paths[name]}}), progress=progress) for name in needed
    }


def joined(clips: Clips, corpora: Sequence[str]) -> list[Clip]:
    """The clips of several corpora as one list."""
    return [clip for name in corpora for clip in clips[name]]


def read_plan(folder: Path) -> Plan:
    """The plan that a study's folder holds.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    path = folder / PLAN
    if not path.exists():
        raise TrainingError(f"{folder}: holds no study; run it first: emogram study run STUDY.yaml --corpus NAME=PATH")
    content = read_json(path, remedy="run the study again")
    try:
        study = check_study(content["study"], str(path))
        runs = tuple(Planned(**run) for run in content["runs"])
        return Plan(study, dict(content["factors"]), runs, dict(content.get("groups", {})))
    except (KeyError, TypeError, ConfigurationError) as error:
        raise TrainingError(f"{path}: damaged or of another version; run the study again") from error


def only(plan: Plan, names: Sequence[str]) -> Plan:
    """The plan with the runs of these points alone.

    Raises:
        ConfigurationError: a name that is no point.
    """
    for name in names:
        if name not in plan.factors:
            raise ConfigurationError(f"--points {name}: no such point; choose {', '.join(plan.factors)}")
    return replace(plan, runs=tuple(run for run in plan.runs if run.point in names))


def _in_order(found: Sequence[Point]) -> list[tuple[Point, int, int]]:
    """Every point's folds and seeds: all points of the first seed and fold, then of the next."""
    order = [(seed_at, fold_at, at) for at, point in enumerate(found) for seed_at, fold_at in _places(point)]
    return [(found[at], found[at].folds[fold_at], found[at].seeds[seed_at]) for seed_at, fold_at, at in sorted(order)]


def _places(point: Point) -> list[tuple[int, int]]:
    return [(seed_at, fold_at) for seed_at in range(len(point.seeds)) for fold_at in range(len(point.folds))]
