"""No teacher that knows a test speaker, by whatever way."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emogram.corpora import Clip
from emogram.errors import ConfigurationError, LeakError
from emogram.training.configuration import validate
from emogram.training.distillation.heard import heard, inherited, runs_of
from emogram.training.material import Material
from tests.training.distillation.teachers import run_folder

FIELD = "distillation.teacher"


def of(clips: tuple[Clip, ...], part: str, **parts: tuple[Clip, ...]) -> dict[str, tuple[Clip, ...]]:
    return {part: clips} | parts


def check(run: Path, test: tuple[Clip, ...]) -> None:
    heard(run, FIELD).require_none_of(test, FIELD)


def test_a_run_of_the_same_split_may_teach(split: Material, tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", split.split.parts())
    check(run, split.split.test)
    known = heard(run, FIELD)
    assert {clip.clip_id for clip in known.learned} == {
        clip.clip_id for part in ("train", "validation") for clip in split.split.parts()[part]
    }
    assert known.test == {clip.clip_id for clip in split.split.test}
    assert known.fitted == {clip.sha256 for clip in split.split.train}


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_speaker_of_the_test_part_is_a_leak(split: Material, tmp_path: Path, part: str) -> None:
    """One clip of a test speaker is enough, though it is another clip."""
    test = split.split.test
    run = run_folder(tmp_path / "run", of(split.split.train, "train") | {part: (*split.split.train[:4], test[-1])})
    with pytest.raises(
        LeakError, match=rf"distillation\.teacher=.*run: learned from {test[0].speaker} of this run's"
    ) as leak:
        check(run, test[:-1])
    assert "\n" not in str(leak.value)


def test_a_recording_of_the_test_part_is_a_leak_whatever_it_is_called(split: Material, tmp_path: Path) -> None:
    tested = split.split.test[0]
    for name, sha256, source in (("same", tested.sha256, ""), ("copy", "f" * 64, tested.sha256)):
        alias = replace(tested, clip_id="other/name", speaker="", sha256=sha256, source_sha256=source)
        run = run_folder(tmp_path / name, {"train": (*split.split.train, alias)})
        with pytest.raises(LeakError, match=f"learned from the audio of {tested.clip_id}"):
            check(run, split.split.test)


def test_what_a_teacher_came_from_counts(split: Material, tmp_path: Path) -> None:
    """A teacher of a teacher, one whose predictions it learned from, and one that it started from."""
    parts = split.split.parts()
    everyone = {"train": split.split.test, "validation": split.split.train}
    grandparent = run_folder(tmp_path / "grandparent", everyone)
    origins: dict[str, Any] = {
        "distillation": {"teacher": str(grandparent), "size": "whisper-tiny", "block": 1},
        "transfer": {"source": str(grandparent / "checkpoints" / "best.safetensors")},
    }
    for name, fields in origins.items():
        parent = run_folder(tmp_path / name, parts, **{name: fields})
        with pytest.raises(LeakError, match="learned from"):
            check(parent, split.split.test)
    softly = {"predictions": [str(grandparent / "predictions-test.csv")]}
    with pytest.raises(LeakError, match="learned from"):
        check(run_folder(tmp_path / "softly", parts, distillation=softly), split.split.test)
    published = run_folder(tmp_path / "clean", parts, transfer={"source": str(tmp_path / "model.safetensors")})
    check(published, split.split.test)


def test_a_run_that_cannot_be_followed_is_refused(split: Material, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none: is no run, it has no manifest\.csv, so that nobody knows"):
        check(tmp_path / "none", split.split.test)
    lost = {"teacher": str(tmp_path / "lost"), "size": "whisper-tiny", "block": 1}
    with pytest.raises(ConfigurationError, match=r"distillation\.teacher=.*lost: is no run"):
        check(run_folder(tmp_path / "child", split.split.parts(), distillation=lost), split.split.test)
    for moved in ("moved", "moved/checkpoints/best.safetensors", "run.v2"):
        begun = {"source": str(tmp_path / moved)}
        with pytest.raises(ConfigurationError, match=r"moved: is no run|run\.v2: is no run"):
            check(run_folder(tmp_path / f"from-{len(moved)}", split.split.parts(), transfer=begun), split.split.test)
    itself = {"teacher": str(tmp_path / "itself"), "size": "whisper-tiny", "block": 1}
    with pytest.raises(ConfigurationError, match="comes from itself"):
        check(run_folder(tmp_path / "itself", split.split.parts(), distillation=itself), split.split.test)


def test_a_manifest_without_parts_is_refused(split: Material, tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", {"somewhere": split.split.train})
    with pytest.raises(ConfigurationError, match=r"its manifest\.csv does not tell the parts"):
        check(run, split.split.test)


def test_pooled_predictions_are_of_their_folds(split: Material, tmp_path: Path) -> None:
    folds = [run_folder(tmp_path / "runs" / f"fold-{fold}", split.split.parts()) for fold in (1, 2)]
    assert runs_of(tmp_path / "runs" / "predictions-test.csv") == folds
    assert runs_of(folds[0] / "predictions-validation.csv") == folds[:1]
    with pytest.raises(ConfigurationError, match=r"predictions=.*: lies in no run, so that nobody knows who"):
        runs_of(tmp_path / "predictions-test.csv")


def test_a_model_owes_the_clips_of_the_runs_behind_it(split: Material, tmp_path: Path) -> None:
    first = run_folder(tmp_path / "first", {"train": split.split.train[:3], "test": split.split.test[:2]})
    taught = {"size": "whisper-tiny", "block": 1}
    second = run_folder(
        tmp_path / "second", {"train": split.split.train[2:5]}, distillation={**taught, "teacher": str(first)}
    )
    chosen = validate({"distillation": {**taught, "teacher": str(second)}})
    assert {clip.clip_id for clip in inherited(chosen)} == {clip.clip_id for clip in split.split.train[:5]}
    assert inherited(validate({})) == []
