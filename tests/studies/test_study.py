"""Study files: every mistake ends in one line that names the field; the packaged studies can be planned."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from emogram.errors import ConfigurationError
from emogram.studies.points import configure, points
from emogram.studies.study import read_study
from tests.studies import made_up

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def written(folder: Path, **changes: Any) -> Path:
    values = made_up.study().model_dump(mode="json", exclude={"name", "conditions", "comparisons"}) | changes
    for axis in values["axes"]:
        for name in [name for name, value in axis.items() if not value]:
            del axis[name]
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({name: value for name, value in values.items() if value is not None}))
    return path


def axis(**point: Any) -> list[dict[str, Any]]:
    return [{"name": "change", "points": [{"name": "odd", **point}]}]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"question": None}, "question: field required"),
    ({"qestion": "What is it about?"}, "qestion: no such field, did you mean 'question'?"),
    ({"outcome": "urr"}, "no metric 'urr', did you mean 'uar'?"),
    ({"seeds": [0, 0]}, "seeds: 0 is named twice"),
    ({"seeds": [-1]}, "seeds.0=-1: input should be greater than or equal to 0"),
    ({"folds": []}, "folds"),
    ({"folds": ["first"]}, "folds.0='first'"),
    ({"corpora": []}, "corpora"),
    ({"budget": {"words": "nothing that takes long", "epochs": 1}}, "budget.runs: field required"),
    ({"axes": [{"name": "change"}]}, "an axis has either points, or a field with values"),
    ({"axes": [{"name": "a", "field": "fit.epochs"}]}, "an axis has either points, or a field with values"),
    ({"axes": axis(chnge={})}, "no such field, did you mean 'change'?"),
    ({"axes": axis(change={"network.droput": 0.1})}, "point 'odd': configuration: network.droput: no such field"),
    ({"axes": axis(change={"spectrogram": "logmell"})}, "point 'odd'"),
    ({"axes": axis(change={"spectrogram.hop_ms": 40})}, "point 'odd': hop_ms: the hop of 640 samples is longer than"),
    ({"axes": axis(change={"seed": 3})}, "change: seed: is set by the study itself"),
    ({"axes": axis(change={"split.fold": 3})}, "change: split.fold: is set by the study itself"),
    ({"axes": axis(change={"fit.epochs": 7})}, "fit.epochs=7: the budget allows 1"),
    ({"axes": axis() + axis()}, "change is named twice"),
    ({"axes": [*axis(), {"name": "b", "points": [{"name": "odd"}]}]}, "two points are called 'odd'"),
    ({"axes": [{"name": "b", "points": [{"name": "base"}]}]}, "two points are called 'base'"),
    ({"base": {"netwrk": "cnn-tiny"}}, "netwrk: no such field, did you mean 'network'?"),
    ({"base": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
    ({"comparisons": [{"points": ["od"]}]}, "comparisons: no point 'od'; choose base, good, odd"),
    ({"comparisons": [{"axes": ["chnge"]}]}, "comparisons: no axis 'chnge'; choose change"),
    ({"comparisons": [{"conditions": ["rain"]}]}, "comparisons: no condition 'rain'; choose clean"),
    ({"conditions": [{"name": "rain"}]}, "conditions.0"),
    ({"conditions": [{"name": "noise", "snr": 3}]}, "snr: no such field, did you mean 'snr_db'?"),
    ({"name": "other"}, "name: a study is named after its file"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_a_mistake_is_told_in_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigurationError) as caught:
        points(read_study(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "small" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "question: [", "not valid YAML"),
        ("a.yaml", "- a", "must hold the fields of a study"),
        ("a b.yaml", "", "named with letters, digits, dots and hyphens"),
        ("a.yaml", "x" * 200_000, "is it a study"),
        (
            "a.yaml",
            "name: mine\nnetwork: cnn-base",
            r"is a configuration, no study; train it with: emogram train .*a\.yaml",
        ),
    ],
)
def test_a_file_that_is_no_study(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_study(tmp_path / name)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: cannot be read"):
        read_study(tmp_path / "nowhere.yaml")


def test_a_field_with_values_makes_a_point_each() -> None:
    study = made_up.study(axes=[{"name": "dropout", "field": "network.dropout", "values": [0, 0.5]}])
    base, none, half = points(study)
    assert (none.name, half.name) == ("dropout=0", "dropout=0.5")
    assert half.factors == {"dropout": "dropout=0.5"}
    assert base.factors == {"dropout": "base"}
    assert configure(study, half, 2, 1).network.model_dump()["dropout"] == 0.5


def test_a_grid_has_every_combination() -> None:
    axes = [
        {"name": "dropout", "field": "network.dropout", "values": [0, 0.5]},
        {"name": "split", "points": [{"name": "drawn", "redraw_split": True, "folds": [1], "seeds": [4]}]},
    ]
    study = made_up.study(axes=axes, grid=True)
    _, first, second = points(study)
    assert (first.name, second.name) == ("dropout=0 / drawn", "dropout=0.5 / drawn")
    configuration = configure(study, second, second.folds[0], second.seeds[0])
    assert (configuration.seed, configuration.split.seed, configuration.split.fold) == (4, 4, 1)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_packaged_studies_can_be_planned(path: Path) -> None:
    study = read_study(path)
    found = points(study)
    assert len(found) > 1
    assert study.question.endswith("?")
    runs = sum(len(point.folds) * len(point.seeds) for point in found)
    assert runs <= study.budget.runs
    assert path.stem == "quick" or all(len(point.folds) * len(point.seeds) >= 3 for point in found)


def test_the_example_of_the_guide_can_be_planned(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    section = guide.partition("## A file of one's own")[2].partition("One axis is varied")[0]
    text = "\n".join(line.removeprefix("    ") for line in section.splitlines() if line.startswith("    "))
    path = tmp_path / "own.yaml"
    path.write_text(text.replace("../configurations", str(ROOT / "configurations")))
    assert [point.name for point in points(read_study(path))] == ["base", "window_ms=20", "window_ms=32", "many bands"]


def test_a_source_that_is_not_there_is_told_with_its_point() -> None:
    study = made_up.study(axes=axis(change={"transfer": {"source": "runs/nowhere"}}))
    with pytest.raises(
        ConfigurationError, match=r"small: point 'odd', fold 1: transfer\.source=runs/nowhere: cannot be"
    ):
        made_up.plan(study)


def test_a_fold_that_the_split_lacks_is_said_once() -> None:
    with pytest.raises(
        ConfigurationError, match=r"small: point 'base': there is no fold 3; split 'kfold' has folds 1 to 2"
    ):
        made_up.plan(made_up.study(folds=[3]))
