"""The points of a study: the base and its variants, each checked as a configuration before anything is trained."""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from emogram.errors import ConfigurationError
from emogram.studies.study import BASE, AxisSettings, Change, PointSettings, Study, require_free
from emogram.training.configuration import Configuration, load


@dataclass(frozen=True)
class Point:
    """One variant.

    Attributes:
        name: ``base``, or that of the point; joined by `` / `` in a grid.
        factors: for each axis what it has: the point's name, or ``base``.
        change: of the base.
        folds: of the split.
        seeds: of the runs.
        corpora: trained and tested on.
        redraw_split: whether ``split.seed`` follows the seed.
    """

    name: str
    factors: dict[str, str]
    change: Change
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    corpora: tuple[str, ...]
    redraw_split: bool


def points(study: Study) -> list[Point]:
    """The base, then every point, in the order of the file.

    Raises:
        ConfigurationError: a name that is used twice; a field, value or budget that cannot be; a comparison or a
            condition that names what is not there.
    """
    variants = _grid(study) if study.grid else [_variant(study, axis, point) for axis, point in _one_at_a_time(study)]
    found = [_point(study, BASE, {}, []), *variants]
    names = [point.name for point in found]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise ConfigurationError(f"{study.name}: axes: two points are called '{name}'; call one otherwise")
    for point in found:
        _check(study, point)
    _check_comparisons(study, names)
    return found


def configure(
    study: Study, point: Point, fold: int, seed: int, corpora: dict[str, Path] | None = None
) -> Configuration:
    """The configuration of one run of a point.

    Raises:
        ConfigurationError: names the study, the point and the field.
    """
    fields: dict[str, Any] = {**_ordered(study.base), **_ordered(point.change), "split.fold": fold, "seed": seed}
    if point.redraw_split:
        fields["split.seed"] = seed
    for name, path in (corpora or {}).items():
        fields[f"corpora.{name}"] = str(path)
    try:
        return load(None, [f"{field}={json.dumps(value)}" for field, value in fields.items()])
    except ConfigurationError as error:
        raise ConfigurationError(f"{study.name}: point '{point.name}': {error}") from error


def _ordered(fields: Change) -> Change:
    """Whole settings before single fields of them, whatever the order of the file."""
    return dict(sorted(fields.items(), key=lambda item: item[0].count(".")))


def _one_at_a_time(study: Study) -> list[tuple[AxisSettings, PointSettings]]:
    return [(axis, point) for axis in study.axes for point in axis.variants()]


def _variant(study: Study, axis: AxisSettings, point: PointSettings) -> Point:
    return _point(study, point.name, {axis.name: point.name}, [point])


def _grid(study: Study) -> list[Point]:
    cells = product(*(axis.variants() for axis in study.axes))
    return [
        _point(
            study,
            " / ".join(point.name for point in cell),
            {axis.name: point.name for axis, point in zip(study.axes, cell, strict=True)},
            list(cell),
        )
        for cell in cells
    ]


def _point(study: Study, name: str, factors: dict[str, str], cell: list[PointSettings]) -> Point:
    """Where several points of a cell name folds, seeds or corpora, the last one counts."""
    change: Change = {}
    folds, seeds, corpora = study.folds, study.seeds, study.corpora
    for point in cell:
        require_free(point.change, f"{study.name}: point '{point.name}'")
        change |= point.change
        folds, seeds, corpora = point.folds or folds, point.seeds or seeds, point.corpora or corpora
    require_free(study.base, f"{study.name}: base")
    return Point(
        name=name,
        factors={axis.name: factors.get(axis.name, BASE) for axis in study.axes},
        change=change,
        folds=tuple(folds),
        seeds=tuple(seeds),
        corpora=tuple(corpora),
        redraw_split=any(point.redraw_split for point in cell),
    )


def _check(study: Study, point: Point) -> None:
    configuration = configure(study, point, point.folds[0], point.seeds[0])
    if configuration.fit.epochs > study.budget.epochs:
        raise ConfigurationError(
            f"{study.name}: point '{point.name}': fit.epochs={configuration.fit.epochs}: the budget allows "
            f"{study.budget.epochs}; train less, or raise budget.epochs and say so in its words"
        )
    try:
        configuration.spectrogram.build(configuration.audio.sample_rate)
    except ConfigurationError as error:
        raise ConfigurationError(f"{study.name}: point '{point.name}': {error}") from error


def _check_comparisons(study: Study, names: list[str]) -> None:
    labels = ["clean", *(condition.label for condition in study.conditions)]
    axes = [axis.name for axis in study.axes]
    for comparison in study.comparisons:
        for axis in comparison.axes or ():
            if axis not in axes:
                raise ConfigurationError(f"{study.name}: comparisons: no axis '{axis:.60}'; choose {', '.join(axes)}")
        for name in (*(comparison.points or ()), comparison.against):
            if name not in names:
                raise ConfigurationError(f"{study.name}: comparisons: no point '{name:.60}'; choose {', '.join(names)}")
        for label in comparison.conditions:
            if label not in labels:
                raise ConfigurationError(
                    f"{study.name}: comparisons: no condition '{label:.60}'; choose {', '.join(labels)}"
                )
