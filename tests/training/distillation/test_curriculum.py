"""A run that learns frames before labels: it learns, it leaves the test part alone, it can be killed."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emogram.corpora import Clip
from emogram.errors import ConfigurationError, LeakError, TrainingError
from emogram.training.cache import AudioCache
from emogram.training.checkpoints import load
from emogram.training.configuration import Configuration, validate
from emogram.training.distillation.frame_learner import FrameLearner
from emogram.training.distillation.frames import FrameDataset
from emogram.training.distillation.label_learner import LabelLearner
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.material import Material, prepare
from emogram.training.run_folder import METRICS
from tests.training import runs
from tests.training.distillation.teachers import publish, run_folder
from tests.training.distillation.test_soft_labels import answers
from tests.training.test_checkpoints import same

pytestmark = pytest.mark.usefixtures("without_conclusion")


def settings(published: Path, *more: str) -> tuple[str, ...]:
    fields = {"teacher": published, "size": "whisper-tiny", "block": 1, "epochs": 2, "copies": 1, "learning_rate": 0.01}
    named = (f"distillation.{name}={value}" for name, value in fields.items())
    return (*named, "network.strides=[2, [2, 1], [2, 1]]", "fit.epochs=1", *more)


def frames_history(folder: Path) -> list[dict[str, str]]:
    with (folder / "distillation" / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def split_of(small: runs.Small) -> Material:
    return prepare(small.material.configuration(), small.clips)


def test_the_student_learns_the_frames(small: runs.Small, published: Path) -> None:
    irregular = {runs.SHORT, runs.LONG, runs.SILENT}
    small.clips = [clip for clip in small.material.clips() if Path(clip.path).stem not in irregular]
    chosen = ("distillation.epochs=8", "distillation.learning_rate=0.003", "fit.batch_size=4")
    metrics = small.train(*settings(published, *chosen))
    epochs = frames_history(small.folder)
    assert list(epochs[0]) == ["epoch", "learning_rate", "train_loss", "validation_loss", "seconds"]
    assert [epoch["epoch"] for epoch in epochs] == [str(number) for number in range(1, 9)]
    losses, unexplained = ([float(epoch[name]) for epoch in epochs] for name in ("train_loss", "validation_loss"))
    assert max(losses[-2:]) < 0.85 * losses[0]
    assert unexplained[-1] < 0.75 < unexplained[0]
    assert metrics["distillation"] == {
        "teacher": "model.safetensors",
        "size": "whisper-tiny",
        "block": 1,
        "epochs": 8,
        "copies": 1,
        "weight": 0.0,
        "explained_variance": pytest.approx(1 - unexplained[-1]),
    }


def test_how_slowly_loaded_weights_learn_is_about_the_labels(small: runs.Small, published: Path) -> None:
    """What starts from a source learns the frames at their own rate, whatever ``transfer.rate`` is."""
    start = (f"transfer.source={published}", "transfer.rate=0.001", "transfer.unfreeze_every=1")
    network = ("spectrogram=whisper", "network.name=whisper-tiny", "network.blocks=2", "network.pooled=1")
    distillation = [setting for setting in settings(published) if setting.startswith("distillation.")]
    small.train(*network, *start, *distillation, "fit.epochs=1")
    assert max(float(epoch["learning_rate"]) for epoch in frames_history(small.folder)) > 0.001


def test_where_the_student_has_noise_of_its_own_the_teacher_hears_none(
    small: runs.Small, published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of the chain, noise is then for the labels alone: the copies are those of a chain without it."""
    folders: list[set[str]] = []
    chains = ("[speed, noise]", "[speed]")
    noises = ("distillation.noise=[{name: noise, probability: 1}, {name: babble, probability: 1}]",)
    for chain, noise in zip(chains, (noises, ()), strict=True):
        cache = tmp_path / f"cache-{len(folders)}"
        small.folder = tmp_path / f"run-{len(folders)}"
        small.train(*settings(published, f"runtime.cache={cache}", f"augmentation.waveform={chain}", *noise))
        folders.append({path.name for path in cache.glob("teacher-*")})
    assert folders[0] == folders[1] != set()


def test_the_labels_start_from_what_the_frames_left(
    small: runs.Small, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[dict[str, Any]] = []

    def look(learner: LabelLearner) -> None:
        met.append({name: tensor.clone() for name, tensor in learner.classifier.network.state_dict().items()})

    monkeypatch.setattr(LabelLearner, "on_fit_start", look)
    small.train(*settings(published))
    left = load(small.folder / "distillation" / "checkpoints" / "last.safetensors")["state_dict"]
    assert same(met[0], {name: left[f"classifier.network.{name}"] for name in met[0]})
    best = load(small.folder / "checkpoints" / "best.safetensors")["state_dict"]
    assert not [name for name in best if "classifier.map." in name]


def test_the_test_part_is_never_asked_for(
    small: runs.Small, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its waves, in either fit, nor its frames: a folder of kept frames holds the other parts alone."""
    asked: set[str] = set()
    give = AudioCache.__call__

    def watched(cache: AudioCache, clip: Clip) -> Any:
        asked.add(clip.sha256)
        return give(cache, clip)

    monkeypatch.setattr(AudioCache, "__call__", watched)
    small.train(*settings(published, f"runtime.cache={tmp_path / 'cache'}", "distillation.weight=0.1"))
    parts = {part: {clip.sha256 for clip in clips} for part, clips in split_of(small).split.parts().items()}
    assert parts["test"]
    assert not asked & parts["test"]
    assert asked == parts["train"] | parts["validation"]
    kept = {path.stem for folder in (tmp_path / "cache").glob("teacher-*") for path in folder.rglob("*.npy")}
    assert kept == {f"{name}-{copy}" for name in parts["train"] for copy in (0, 1)} | {
        f"{name}-0" for name in parts["validation"]
    }


def stop_in_epoch(kind: type[Any], number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step = kind.training_step

    def interrupted(learner: Any, batch: Any, index: int) -> Any:
        if learner.current_epoch == number - 1:
            raise KeyboardInterrupt
        return step(learner, batch, index)

    monkeypatch.setattr(kind, "training_step", interrupted)


def test_a_run_that_was_interrupted_twice_ends_as_if_it_had_not_been(
    small: runs.Small, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once among the frames, once among the labels."""
    chosen = settings(published, "distillation.weight=0.5", "fit.epochs=2", "network.dropout=0.2")
    small.train(*chosen)
    undisturbed, small.folder = small.folder, small.folder.with_name("cut")
    for kind in (FrameLearner, LabelLearner):
        with monkeypatch.context() as patch:
            stop_in_epoch(kind, 2, patch)
            with pytest.raises(KeyboardInterrupt):
                small.train(*chosen)
        assert not (small.folder / METRICS).exists()
    small.train(*chosen)
    for place in ("distillation", "."):
        one, other = (
            load(folder / place / "checkpoints" / "last.safetensors") for folder in (undisturbed, small.folder)
        )
        assert same(one["state_dict"], other["state_dict"]), place
        assert same(one["optimizer_states"], other["optimizer_states"]), place
    results = [(folder / "distillation" / "result.json").read_bytes() for folder in (undisturbed, small.folder)]
    assert results[0] == results[1]
    scores = [[list(row.values())[:4] for row in frames_history(folder)] for folder in (undisturbed, small.folder)]
    assert scores[0] == scores[1]


def test_frames_that_were_learned_are_not_learned_again(
    small: runs.Small, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.train(*settings(published))
    (small.folder / METRICS).unlink()
    monkeypatch.setattr(FrameLearner, "__init__", lambda *_, **__: pytest.fail("learned again"))
    small.train(*settings(published))
    (small.folder / METRICS).unlink()
    (small.folder / "distillation" / "result.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"result\.json: damaged \(it tells no variance\); delete it and train"):
        small.train(*settings(published))


def test_soft_labels_alone(small: runs.Small, tmp_path: Path) -> None:
    split = split_of(small)
    clips = split.split.train
    run = run_folder(tmp_path / "teacher", {"train": clips[4:], "test": clips[:4]})
    answers(run / "predictions-test.csv", clips[:4], split.emotions)
    metrics = small.train(
        f"distillation.predictions=[{tmp_path / 'teacher' / 'predictions-test.csv'}]", "distillation.soft=0.7"
    )
    assert metrics["distillation"] == {
        "predictions": 1,
        "softly_labelled_clips": 4,
        "temperature": 2.0,
        "soft": 0.7,
    }
    assert not (small.folder / "distillation").exists()


def test_a_leak_is_refused_before_anything_is_written(small: runs.Small, tmp_path: Path) -> None:
    split = split_of(small).split
    run = run_folder(tmp_path / "teacher", {"train": (*split.train, *split.test)}, weights=True)
    with pytest.raises(LeakError, match=rf"distillation\.teacher=.*: learned from {split.test[0].speaker}"):
        small.train(*settings(run))
    assert not small.folder.exists()


def test_a_run_of_the_same_fold_may_teach(small: runs.Small, tmp_path: Path) -> None:
    """With the fold's number in its path."""
    run_folder(tmp_path / "teachers" / "fold-1", split_of(small).split.parts(), weights=True)
    small.train(*settings(tmp_path / "teachers" / "fold-{fold}", "distillation.epochs=1"))
    assert json.loads((small.folder / METRICS).read_text())["distillation"]["teacher"] == "fold-1"


def test_a_loss_that_is_no_number_is_one_line(
    small: runs.Small, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    averaged = FrameDataset.averaged
    monkeypatch.setattr(
        FrameDataset, "averaged", lambda *arguments: (averaged(*arguments)[0] * np.nan, averaged(*arguments)[1])
    )
    with pytest.raises(
        TrainingError, match=r"distillation, epoch 1: the loss is nan; lower distillation\.learning_rate"
    ):
        small.train(*settings(published))


WRONG = [
    ({}, "distillation: nothing to learn from; give teacher, predictions or both"),
    ({"predictions": ["a.csv"], "weight": 1}, "weight=1 without frames to learn; give teacher, or choose 0"),
    ({"teacher": "a", "block": 7}, "block=7: whisper-base has 6 blocks; choose at most that"),
    ({"teacher": "a", "size": "whisper-big"}, "size='whisper-big': input should be 'whisper-tiny', 'whisper-base' or"),
    ({"teacher": "a", "soft": 2}, "soft=2: input should be less than or equal to 1"),
    ({"teacher": "a", "temperature": 0}, "temperature=0: input should be greater than 0"),
    ({"teacher": "a", "blocks": 3}, "distillation.blocks: no such field"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_a_wrong_value_is_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        validate({"distillation": fields})
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_student_without_frames_is_refused(small: runs.Small, published: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"audio\.sample_rate=8000: Whisper was trained at 16000 Hz"):
        small.train(*settings(published, "audio.sample_rate=8000", "spectrogram.fmax_hz=4000"))
    with pytest.raises(ConfigurationError, match="frames are longer than 256 of the spectrogram"):
        small.train(*settings(published, "network.strides=[9, 9, 9]"))
    assert not small.folder.exists()


def configured(**fields: Any) -> Configuration:
    return validate({"distillation": {"size": "whisper-tiny", "block": 1, **fields}})


def test_identity_follows_the_content_and_not_the_place(published: Path, tmp_path: Path) -> None:
    assert "distillation" not in validate({}).determinants()
    copy = tmp_path / "copy-1.safetensors"
    copy.write_bytes(published.read_bytes())
    own = configured(teacher=str(published)).determinants()
    assert "noise" not in own["distillation"]
    noise = configured(teacher=str(published), noise=["noise"]).determinants()["distillation"]["noise"]
    assert noise[0]["probability"] == 0.3
    assert configured(teacher=str(copy)).determinants() == own
    assert configured(teacher=str(tmp_path / "copy-{fold}.safetensors")).determinants() == own
    assert configured(teacher=str(publish(tmp_path / "other.safetensors", seed=4))).determinants() != own
    with pytest.raises(ConfigurationError, match=r"distillation\.teacher=.*none: cannot be read \(No such file"):
        configured(teacher=str(tmp_path / "none")).determinants()
    with pytest.raises(ConfigurationError, match=r"distillation\.predictions=none\.csv: cannot be read"):
        configured(predictions=["none.csv"]).determinants()


@pytest.mark.parametrize("name", ["speed", "tempo", "shift", "crop", "concatenation"])
def test_what_moves_frames_is_no_noise_of_the_student_alone(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} changes when things happen"):
        configured(teacher="model.safetensors", noise=[name])


def test_every_default_suits_a_teacher_alone() -> None:
    chosen = DistillationSettings(teacher=Path("model.safetensors"))
    assert (chosen.block, chosen.epochs, chosen.weight, chosen.predictions) == (3, 12, 0.0, ())
