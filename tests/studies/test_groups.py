"""Groups of clips that a study scores apart, besides all of them."""

from dataclasses import replace

import pytest

from emogram.corpora import Clip
from emogram.errors import ConfigurationError
from emogram.evaluation.metrics import score
from emogram.studies.findings import find
from emogram.studies.groups import group, of_group
from emogram.studies.plan import Plan
from emogram.studies.results import Archive, export, read_findings
from emogram.studies.store import Store
from emogram.training.material import prepare
from tests.studies import made_up

CLIPS = [
    replace(clip, duration_s=2 + at % 9 / 10, intensity=("", "normal", "strong")[at % 3])
    for at, clip in enumerate(made_up.clips())
]


def members(label: str, by: str) -> set[str]:
    return set(group(CLIPS, [by])[label])  # type: ignore[list-item]


def test_groups_by_what_the_clips_say() -> None:
    assert list(group(CLIPS, ["sex", "intensity"])) == ["female", "male", "intensity normal", "intensity strong"]
    assert members("female", "sex") == {clip.clip_id for clip in CLIPS if clip.sex == "female"}
    assert members("intensity strong", "intensity") == {clip.clip_id for clip in CLIPS if clip.intensity == "strong"}


def test_thirds_by_length_hold_every_clip_once() -> None:
    found = group(CLIPS, ["length"])
    assert list(found) == ["to 2.2 s", "2.2 to 2.5 s", "over 2.5 s"]
    assert sorted(name for names in found.values() for name in names) == sorted(clip.clip_id for clip in CLIPS)
    assert set(found["over 2.5 s"]) == {clip.clip_id for clip in CLIPS if clip.duration_s > 2.5}


def test_clips_of_one_length_are_one_group() -> None:
    assert [len(names) for names in group(made_up.clips(), ["length"]).values()] == [len(CLIPS)]


def test_a_group_is_named_once() -> None:
    with pytest.raises(ConfigurationError, match="groups: sex is named twice"):
        made_up.study(groups=["sex", "sex"])


def grouped(store: Store) -> Plan:
    """A study in which women are recognised and men are not."""
    plan, tasks = made_up.plan(made_up.study(groups=["sex"]))
    for task in tasks:
        tested = list[Clip](prepare(task.configuration, made_up.clips()).split.test)
        right = {clip.clip_id: clip.sex == "female" for clip in tested}
        made_up.write_run(store.run(task.run.key), task.run.key, made_up.answers(tested, right))
    plan.write(store)
    return plan


def test_every_point_is_scored_on_every_group(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("groups")
    plan = grouped(Store(folder))
    found = find(plan, Store(folder))
    scored = {(one.point, one.condition): one.estimate for one in found.groups}
    assert list(scored) == [(point, sex) for sex in ("female", "male") for point in ("base", "good", "odd")]
    assert {sex: one.value for (_, sex), one in scored.items() if one} == {"female": 1.0, "male": 0.0}
    assert {one.n_speakers for one in scored.values() if one} == {3}
    export(folder / "small", folder / "kept")
    assert read_findings(folder / "kept" / "findings.json").groups == found.groups
    answers = Archive(folder / "kept").predictions(plan.runs[0].key, "clean")
    assert answers is not None
    women = of_group(answers, frozenset(plan.groups["female"]))
    assert women is not None
    assert score(women)["accuracy"] == 1.0
    assert of_group(answers, frozenset(["nobody"])) is None
