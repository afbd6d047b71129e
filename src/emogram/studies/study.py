"""The study file: a question, a base configuration, axes of named points, folds and seeds, a budget, comparisons."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from emogram.errors import ConfigurationError, did_you_mean
from emogram.evaluation.metrics import METRICS
from emogram.studies.conditions import CLEAN, Condition
from emogram.studies.groups import Grouping
from emogram.training.configuration import Configuration
from emogram.training.yaml_text import read

BASE = "base"
"""The point that changes nothing."""

_MAX_CHARACTERS = 2**17
_RESERVED = ("seed", "split.fold", "corpora", "runtime", "name")
_OF_CONFIGURATIONS = Configuration.model_fields.keys() - {"name", "corpora"}
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._=+%-]*$", max_length=60)]
Change = dict[str, Any]
Fold = Annotated[int, Field(ge=1, le=1000)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PointSettings(_Settings):
    """One variant of the base."""

    name: Name = Field(description="in tables and figures")
    change: Change = Field(default_factory=dict, description="field to value, as in field=value")
    folds: list[Fold] | None = Field(None, min_length=1, description="other folds than the study's")
    seeds: list[Seed] | None = Field(None, min_length=1, description="other seeds than the study's")
    corpora: list[str] | None = Field(None, min_length=1, description="other corpora than the study's")
    redraw_split: bool = Field(False, description="split.seed follows the seed: another draw for every seed")


class AxisSettings(_Settings):
    """What is varied: named points, or values of one field."""

    name: Name = Field(description="column of the table")
    points: list[PointSettings] = Field(default_factory=list, description="the variants")
    field: str = Field("", description="instead of points: the field that takes each of the values")
    values: list[Any] = Field(default_factory=list, description="of the field")

    @model_validator(mode="after")
    def _one_way(self) -> "AxisSettings":
        if bool(self.points) == bool(self.field) or bool(self.field) != bool(self.values):
            raise ValueError("an axis has either points, or a field with values")
        return self

    def variants(self) -> list[PointSettings]:
        """Its points; a field and its values make one each, ``dropout=0.3``."""
        if self.points:
            return self.points
        last = self.field.rpartition(".")[2]
        return [PointSettings(name=f"{last}={_shown(value)}", change={self.field: value}) for value in self.values]


class BudgetSettings(_Settings):
    """What a run and the study may cost: said in words, and held."""

    words: str = Field(min_length=10, description="the budget in a sentence")
    epochs: int = Field(ge=1, le=10_000, description="most epochs of any run")
    runs: int = Field(ge=1, le=100_000, description="most runs of the study")


class ComparisonSettings(_Settings):
    """Planned comparisons; Holm's correction is for all that a study plans."""

    points: list[str] | None = Field(None, min_length=1, description="which points; all where neither these nor axes")
    axes: list[str] | None = Field(None, min_length=1, description="the points of these axes, besides")
    against: str = Field(BASE, description="the point that each is compared with")
    conditions: list[str] = Field(default=[CLEAN], min_length=1, description="labels of conditions")

    def chosen(self, factors: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Names of the points that are compared, of all points and what each has for every axis."""
        if self.points is None and self.axes is None:
            return list(factors)
        along = [point for point, has in factors.items() if any(has[axis] != BASE for axis in self.axes or ())]
        return [*(self.points or ()), *along]


class Study(_Settings):
    """One study. ``name`` is that of its file."""

    name: str = Field(description="given by the file")
    question: str = Field(min_length=10, description="in plain English")
    base: Change = Field(description="fields of a configuration; in the file, or the path of one beside it")
    corpora: list[str] = Field(min_length=1, description="names of the corpora it trains and tests on")
    axes: list[AxisSettings] = Field(min_length=1, description="what is varied, one axis at a time unless grid")
    grid: bool = Field(False, description="every combination of the axes' points instead of one at a time")
    folds: list[Fold] = Field(min_length=1, description="of the split")
    seeds: list[Seed] = Field(min_length=1, description="of weights, order, augmentation and dropout")
    outcome: str = Field("uar", description="the metric that decides")
    budget: BudgetSettings
    conditions: list[Condition] = Field(default_factory=list, description="tested under, besides clean")
    groups: list[Grouping] = Field(default_factory=list, description="clips scored apart, besides all of them")
    comparisons: list[ComparisonSettings] = Field(default=[ComparisonSettings()], description="planned beforehand")

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        if self.outcome not in METRICS:
            raise ValueError(
                f"outcome: no metric {self.outcome!r:.60}{did_you_mean(self.outcome, METRICS) or ';'} "
                f"choose {', '.join(METRICS)}"
            )
        for what, values in (
            ("seeds", self.seeds),
            ("folds", self.folds),
            ("axes", [axis.name for axis in self.axes]),
            ("conditions", [condition.label for condition in self.conditions]),
            ("groups", self.groups),
        ):
            twice = [value for at, value in enumerate(values) if value in values[:at]]
            if twice:
                raise ValueError(f"{what}: {twice[0]} is named twice; name it once")
        return self


def read_study(path: Path) -> Study:
    """Read a study file.

    Raises:
        ConfigurationError: names the field, the value and the remedy, in one line.
    """
    if not _FILE_NAME.fullmatch(path.stem):
        raise ConfigurationError(f"{path}: a study's file is named with letters, digits, dots and hyphens")
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(f"{path}: cannot be read ({reason}); give the YAML file of a study") from error
    if len(text) > _MAX_CHARACTERS:
        raise ConfigurationError(f"{path}: more than {_MAX_CHARACTERS} characters; is it a study?")
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not valid YAML ({' '.join(str(error).split())[:200]})") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: must hold the fields of a study; start with question, base and axes")
    if not values.keys() & {"question", "base", "axes"} and values.keys() & _OF_CONFIGURATIONS:
        raise ConfigurationError(f"{path}: is a configuration, no study; train it with: emogram train {path}")
    if "name" in values:
        raise ConfigurationError(f"{path}: name: a study is named after its file; leave it out")
    base = values.get("base")
    if isinstance(base, str):
        try:
            values["base"] = read(path.parent / base)
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: base: {error}") from error
    return check_study({**values, "name": path.stem}, str(path))


def check_study(values: dict[str, Any], source: str) -> Study:
    """Check the plain values of a study; as `read_study`."""
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(_first_problem(error, source)) from error


def require_free(change: Change, where: str) -> None:
    """Make sure that a point leaves alone what folds, seeds, corpora and the command line set.

    Raises:
        ConfigurationError: names the field.
    """
    for field in change:
        held = next((name for name in _RESERVED if field == name or field.startswith(f"{name}.")), None)
        if held is not None:
            raise ConfigurationError(f"{where}: change: {field}: is set by the study itself (folds, seeds, corpora)")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return re.sub(r"[^A-Za-z0-9 ._=+%-]+", "-", text).strip("-")[:40] or "empty"


def _first_problem(error: ValidationError, source: str) -> str:
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "study"
    if problem["type"] == "extra_forbidden":
        choices = _field_names(problem["loc"][:-1])
        suggestion = did_you_mean(str(problem["loc"][-1])[:60], choices)
        return f"{source}: {place[:80]}: no such field{suggestion or ';'} choose {', '.join(choices)}"
    message = " ".join(problem["msg"].removeprefix("Value error, ").split())[:300]
    shown = "" if isinstance(problem["input"], dict) else f"={problem['input']!r:.60}"
    if place == "study":  # found by the study as a whole, which names the field in its message
        return f"{source}: {message}"
    return f"{source}: {place[:80]}{shown}: {message[0].lower()}{message[1:]}"


def _field_names(location: tuple[int | str, ...]) -> list[str]:
    """The fields of the settings at a place in a study."""
    models: list[type[BaseModel]] = [Study]
    for part in location:
        for model in list(models):
            if part in model.model_fields:
                models = _models(model.model_fields[str(part)].annotation)
        tagged = [
            model for model in models if "name" in model.model_fields and model.model_fields["name"].default == part
        ]
        models = tagged or models
    return sorted(
        {name for model in models for name in model.model_fields} - ({"name"} if models == [Study] else set())
    )


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]
