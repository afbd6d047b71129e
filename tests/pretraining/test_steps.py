"""The steps to a bundled model: who is heard where, what is kept, and that nothing is done twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import emogram
from emogram.corpora.clip import read_manifest
from emogram.errors import ConfigurationError, ModelError, TrainingError
from emogram.evaluation.predictions import read_predictions
from emogram.pretraining import bundle as bundle_module
from emogram.pretraining.recipe import Plan, gather_clips, read_recipe
from emogram.pretraining.steps import conditions, pretrain
from emogram.recognition.model_file import read_model
from tests.pretraining.conftest import Made, recipe

ROOT = Path(__file__).parents[2]


def test_every_step_leaves_what_the_next_needs(made: Made) -> None:
    folder = made.plan.folder
    runs = {path.parent.relative_to(folder).as_posix() for path in folder.rglob("metrics.json")}
    assert runs == {f"{step}/fold-{fold}" for step in ("held-out", "leave-corpus-out") for fold in (1, 2)} | {"release"}
    heard = {
        path.relative_to(folder / "held-out" / "fold-1" / "conditions").as_posix()
        for path in folder.glob("held-out/fold-1/conditions/*/*")
    }
    names = ("background-0dB.csv", "background-20dB.csv", "clean.csv", "model.onnx")
    assert heard == {f"12-bit/{name}" for name in names}
    results = {path.name for path in (folder / "results").iterdir()}
    assert results == {"held-out.csv", "without-other.csv", "without-synthetic.csv", "facts.json", *names[:3]}


def test_no_speaker_of_a_test_part_was_trained_on(made: Made) -> None:
    manifests = list(made.plan.folder.rglob("manifest.csv"))
    assert len(manifests) == len(list(made.plan.folder.rglob("metrics.json"))) == 5
    for manifest in manifests:
        speakers = {clip.clip_id: clip.speaker for clip in read_manifest(manifest)}
        parts = {
            part: {
                speakers[clip_id] for clip_id in read_predictions(manifest.parent / f"predictions-{part}.csv").clip_ids
            }
            for part in ("train", "validation", "test")
        }
        assert not parts["test"] & (parts["train"] | parts["validation"])


def test_a_model_of_everything_is_loaded_and_says_what_it_is(made: Made) -> None:
    path = made.plan.folder / "model.onnx"
    info = read_model(path).info
    assert info.name == "tiny"
    assert info.labels == ("neutral", "happy", "sad", "angry")
    assert "MUST NOT BE USED" in info.card
    assert "Taught by nobody." in info.card
    assert info.scores["speakers"] == "unseen"
    assert {"accuracy at 20 dB", "accuracy at 0 dB", "uar on other, trained without"} <= info.scores.keys()
    recognizer = emogram.load(path)
    assert recognizer.predict(made.clips[0].path).model == "tiny"


def test_what_is_done_is_not_done_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained or heard again")

    monkeypatch.setattr("emogram.training.run._fit", refuse)
    monkeypatch.setattr("emogram.pretraining.steps.predict", refuse)
    steps = ["held-out", "conditions", "leave-corpus-out", "release"]
    said: list[str] = []
    pretrain(made.plan, made.clips, steps=steps, say=said.append)
    assert sum("accuracy" in line for line in said) == 4


def test_clips_are_read_once_for_all_models_of_the_same_corpora(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("emogram.pretraining.recipe.gather", None)
    beside = replace(made.plan, folder=made.plan.folder.with_name("other"))
    assert [clip for clip in gather_clips(beside) if clip in made.clips] == list(made.clips)
    elsewhere = replace(made.plan, data=tmp_path)
    assert elsewhere.manifest() != made.plan.manifest()


def test_noise_follows_from_the_clip_and_comes_from_the_recordings_that_are_meant(made: Made, data: Path) -> None:
    under = conditions(made.plan.recipe, data)
    clip, other = made.clips[0], replace(made.clips[0], clip_id="synthetic/other")
    wave = np.sin(np.arange(8000, dtype=np.float32))
    for name, snr_db in (("background-20dB", 20.0), ("background-0dB", 0.0)):
        noisy = under[name].apply(wave, clip, 16_000)
        noise = noisy - wave
        assert 10 * np.log10(np.mean(wave**2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=0.01)
        np.testing.assert_array_equal(noisy, under[name].apply(wave, clip, 16_000))
        assert not np.array_equal(noisy, under[name].apply(wave, other, 16_000))
    np.testing.assert_array_equal(under["clean"].apply(wave, clip, 16_000), wave)
    with pytest.raises(ConfigurationError, match=r"recordings=9-\*"):
        conditions(recipe(data, noise_recordings="9-*"), data)["background-0dB"].apply(wave, clip, 16_000)


def in_noise(made: Made, data: Path, recordings: str) -> Plan:
    noise = {"name": "background", "folder": "{data}/noise", "recordings": recordings}
    fields = made.plan.recipe.configuration | {"augmentation": {"waveform": [noise]}}
    return replace(made.plan, recipe=made.plan.recipe.model_copy(update={"configuration": fields}), data=data)


def test_no_recording_is_tested_with_that_sounds_in_training(made: Made, data: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"5-rain\.wav sounds in training and is tested with; choose other"):
        pretrain(in_noise(made, data, "*"), made.clips, steps=[])
    pretrain(in_noise(made, data, "1-*"), made.clips, steps=[])


def test_corpora_may_join_where_one_is_left_out(made: Made, data: Path) -> None:
    own = recipe(data, corpora={"synthetic": "first.csv"}, left_out={"corpora": {"other": "second.csv"}})
    plan = replace(made.plan, recipe=own)
    assert {clip.corpus for clip in gather_clips(plan)} == {"synthetic"}
    assert {clip.corpus for clip in gather_clips(plan, "leave-corpus-out")} == {"synthetic", "other"}
    assert plan.manifest() != plan.manifest("leave-corpus-out")
    change = {"fit.epochs": 7, "runtime.cache": "{data}/kept"}
    changed = own.model_copy(update={"left_out": own.left_out.model_copy(update={"change": change})})
    runs = {
        step: replace(plan, recipe=changed).configuration(step) for step in ("held-out", "leave-corpus-out", "release")
    }
    assert {step: run.fit.epochs for step, run in runs.items()} == {"held-out": 1, "leave-corpus-out": 7, "release": 1}
    assert runs["leave-corpus-out"].runtime.cache == data / "kept"
    assert runs["held-out"].runtime.cache != data / "kept"


def test_of_one_corpus_none_is_left_out(made: Made, data: Path, tmp_path: Path) -> None:
    plan = Plan(recipe(data, corpora={"synthetic": "first.csv"}), data, tmp_path / "tiny")
    said: list[str] = []
    pretrain(plan, gather_clips(plan), steps=["leave-corpus-out"], say=said.append)
    assert said[-1] == "leave-corpus-out: there is one corpus, and none to train on without it"
    assert not plan.folder.exists()


def test_a_file_that_answers_otherwise_than_the_full_one_is_refused(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_module, "export", lambda *_: None)
    monkeypatch.setattr(bundle_module, "compact", lambda *_, **__: None)
    monkeypatch.setattr(bundle_module, "differences", lambda *_: (0.5, 0.1))
    (made.plan.folder / "release" / "full.onnx").touch()
    with pytest.raises(ModelError, match=r"differs from the full file by 0\.5; choose more bits"):
        bundle_module.bundle(made.plan, made.clips)


def test_steps_and_folds_that_cannot_be(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--steps hold: no such step"):
        pretrain(made.plan, made.clips, steps=["hold"])
    with pytest.raises(ConfigurationError, match="held-out has folds 1 to 2"):
        pretrain(made.plan, made.clips, steps=["held-out"], folds=[3])
    empty = Plan(made.plan.recipe, made.plan.data, tmp_path / "tiny")
    with pytest.raises(TrainingError, match="do the step held-out first"):
        pretrain(empty, made.clips, steps=["conditions"], folds=[1])
    with pytest.raises(TrainingError, match="holds no fold that is done"):
        pretrain(empty, made.clips, steps=["bundle"])


@pytest.mark.parametrize("name", ["base", "large"])
def test_the_recipes_of_the_repository_can_be_read(name: str, tmp_path: Path) -> None:
    found = read_recipe(ROOT / "configurations" / "pretrained" / f"{name}.yaml", ["configuration.seed=3"])
    plan = Plan(found, tmp_path / "data", tmp_path / "models" / name)
    assert found.name == name
    assert set(found.corpora) == {"ravdess-speech"}
    for step, split in (
        ("held-out", "ravdess-emobox"),
        ("leave-corpus-out", "leave-corpus-out"),
        ("release", "release"),
    ):
        configuration = plan.configuration(step, 2)
        assert (configuration.split.name, configuration.split.fold, configuration.seed) == (split, 2, 3)
        assert configuration.corpora["ravdess-speech"] == tmp_path / "data" / "ravdess" / "speech"
    assert "Copyright (c) 2022 OpenAI" in "".join(found.notices)


def test_a_teacher_lies_where_the_other_model_has_the_same_step(tmp_path: Path) -> None:
    path = ROOT / "configurations" / "pretrained" / "base.yaml"
    found = read_recipe(path, ["configuration.distillation.teacher='{models}/large/{run}'"])
    plan = Plan(found, tmp_path, tmp_path / "models" / "base")
    teachers = [plan.configuration(step, 2).distillation for step in ("held-out", "release")]
    assert [each.teacher for each in teachers if each] == [
        tmp_path / "models" / "large" / "held-out" / "fold-2",
        tmp_path / "models" / "large" / "release",
    ]


def test_a_recipe_with_a_mistake_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("name: tiny\nsummary: small\ncorpora: {tess: tess}\nemotions: [hapy]\nconfiguration: {}\n")
    with pytest.raises(ConfigurationError, match="did you mean 'happy'") as refusal:
        read_recipe(path)
    assert "\n" not in str(refusal.value)
