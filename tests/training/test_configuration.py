"""The configuration: every wrong value is one line, every field that matters is part of a run's identity."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emogram.errors import ConfigurationError
from emogram.spectrograms import LogMelSettings
from emogram.training.configuration import Configuration, key, load, validate

WRONG = [
    ("fit.epochs=0", "fit.epochs=0: input should be greater than or equal to 1"),
    ("fit.epochs=many", "fit.epochs='many': input should be a valid integer"),
    ("fit=3", "fit=3: input should be"),
    ("fit.balance=weight", "fit.balance='weight': input should be 'none', 'weights' or 'sampling'"),
    ("fit.monitor=loss", "'validation_uar', 'validation_accuracy' or 'validation_loss'"),
    ("fit.label_smoothing=1", "fit.label_smoothing=1: input should be less than 1"),
    ("fit.label_smoothing=.nan", "fit.label_smoothing=nan: input should be a finite number"),
    ("fit.optimizer.learning_rate=.inf", "fit.optimizer.learning_rate=inf: input should be a finite number"),
    ("fit.optimizer.learning_rate=0", "fit.optimizer.learning_rate=0: input should be greater than 0"),
    ("fit.optimizer.name=sdg", "fit.optimizer: no optimizer 'sdg', did you mean 'sgd'? choose sgd, momentum"),
    ("fit.optimizer=3", "fit.optimizer=3: input should be a name or fields; give one of sgd, momentum"),
    ("fit.optimizer.betas=[1, 0]", "fit.optimizer.betas.0=1: input should be less than 1; give a number from 0 to bel"),
    ("fit.schedule=cosin", "fit.schedule='cosin': no schedule 'cosin', did you mean 'cosine'? choose constant, step"),
    ("fit.schedule={name: step, drops: [0.7, 0.5]}", "fit.schedule.drops=[0.7, 0.5]: each must be above"),
    ("fit.averaging=1.5", "fit.averaging.decay=1.5: input should be less than 1; give a number above 0 and below 1"),
    ("fit.epochs=true", "fit.epochs=True: true and false are no numbers; give a number"),
    ("network.channels=[8, true, 8, 8]", "network.channels.1=True: true and false are no numbers"),
    ("fit={epochs: 3, epochs: 4}", "epochs is given twice, in lines 1 and 1; keep one of them"),
    ("runtime.cache=3", "runtime.cache=3: input should be a path, as text; give a path or null"),
    ("audio.sample_rate=100", "audio.sample_rate=100: input should be greater than or equal to 4000"),
    ("audio.clip_s=-1", "audio.clip_s=-1: input should be greater than 0.1"),
    ("split.name=speker", "no split 'speker', did you mean 'speaker'? choose stratified, speaker"),
    ("split.fold=0", "split.fold=0: input should be greater than or equal to 1"),
    ("spectrogram.window_ms=.inf", "spectrogram.window_ms=inf: input should be a finite number"),
    ("spectrogram.name=cqtt", "spectrogram: no spectrogram 'cqtt', did you mean 'cqt'? choose magnitude, power"),
    ("augmentation.waveform=[{name: noise, snr_db: [40, 10]}]", "augmentation.waveform.0.snr_db=[40, 10]: the first"),
    (
        "augmentation.waveform=[gain, {name: crop, probability: .nan}]",
        "waveform.1.probability=nan: input should be a finite",
    ),
    (
        "augmentation.batch=[mixpu]",
        "augmentation.batch.0='mixpu': no batch augmentation 'mixpu', did you mean 'mixup'?",
    ),
    ("network=cnn-smal", "no network 'cnn-smal', did you mean 'cnn-small'? choose cnn-tiny, cnn-small, cnn-base"),
    ("network.name=[1]", "no network [1]; choose cnn-tiny, cnn-small, cnn-base"),
    ("network.strides=[0, 1, 1, 1]", "network.strides.0=0: input should be greater than or equal to 1"),
    ("network.stem_stride=[1, 0]", "network.stem_stride.1=0: input should be greater than or equal to 1"),
    ("network.channels=[16, -1]", "network.channels.1=-1: input should be greater than or equal to 1"),
    ("network.kernel=4", "network.kernel=4: must be odd"),
    ("network=3", "network=3: input should be a name or fields"),
    ("network={name: cnn14, kernel: 2}", "network.kernel=2: must be odd"),
    ("network={name: mn10, width: 9}", "network.width=9: input should be less than or equal to 4"),
    ("runtime.device=gpu", "runtime.device='gpu': input should be 'auto', 'cpu', 'cuda' or 'mps'"),
    ("runtime.threads=-1", "runtime.threads=-1: input should be greater than or equal to 0"),
    ("name=../elsewhere", "name='../elsewhere': string should match pattern"),
    (f"name={'x' * 101}", "string should have at most 100 characters"),
    ("corpora=voices", "corpora='voices': input should be a valid dictionary"),
    (f"seed=0x{'f' * 5000}", "seed=…: input should be less than"),
    (f"seed={'9' * 4000}", "seed=9999"),
    (f"seed={'9' * 5000}", "holds a value that YAML cannot have"),
    (f"name={'[' * 1000}", "holds a value that YAML cannot have"),
    ("name=!!timestamp x", "holds a value that YAML cannot have"),
    ("name=!!python/object/apply:os.getcwd []", "not valid YAML (could not determine a constructor"),
    ("name=[1", "name=[1: not valid YAML"),
    ("seed=&a [*a]", "an alias such as *name is not allowed"),
    ("epochs", "epochs: an override is written field=value, for example fit.epochs=10"),
    ("=3", "=3: an override is written field=value"),
]


@pytest.mark.parametrize(("setting", "message"), WRONG, ids=[setting[:40] for setting, _ in WRONG])
def test_a_wrong_value_is_one_line_with_field_value_and_choices(setting: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load(None, [setting])
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize(
    ("setting", "field", "suggestion", "choices"),
    [
        ("epochs=3", "epochs", ", did you mean 'distillation.epochs' or 'fit.epochs'?", "name, corpora, seed"),
        ("fit.optimizer.schedule=cosine", "fit.optimizer.schedule", ", did you mean 'fit.schedule'?", "name, learning"),
        ("fit.schedule={name: step, last: 0.1}", "fit.schedule.last", "", "name, warm_up, drops"),
        ("fit.epoch=3", "fit.epoch", ", did you mean 'epochs'?", "epochs, batch_size"),
        ("fit.optimizer.learningrate=3", "fit.optimizer.learningrate", ", did you mean 'learning_rate'?", "name, lear"),
        (
            "augmentation.waveform=[{name: gain, gain: 3}]",
            "augmentation.waveform.0.gain",
            ", did you mean 'gain_db'?",
            "name, probability, gain_db",
        ),
        (
            "network={name: cnn14, chanels: 3}",
            "network.chanels",
            ", did you mean 'channels'?",
            "name, channels, kernel",
        ),
        ("network={name: audiontt, kernel: 3}", "network.kernel", "", "name, channels, hidden, width"),
        ("network.chanels=[3]", "network.chanels", ", did you mean 'channels'?", "name, stem_channels"),
        ("a.b.c=3", "a", "", "name, corpora"),
        (f"fit.{'e' * 60_000}=1", f"fit.{'e' * 76}…", "", "epochs"),
    ],
)
def test_an_unknown_field_suggests_the_nearest(setting: str, field: str, suggestion: str, choices: str) -> None:
    started = time.monotonic()
    with pytest.raises(ConfigurationError) as refusal:
        load(None, [setting])
    assert f": {field}: no such field{suggestion or ';'} choose {choices}" in str(refusal.value)
    assert time.monotonic() - started < 5


def test_several_problems_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("fit: {epochs: 0, batch_size: 0}\nseed: -1\n")
    with pytest.raises(ConfigurationError, match=r"wrong\.yaml: seed=-1: .* \(and 2 more\)$"):
        load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n- b\n", "must hold fields and values, not list"),
        (b"fit: {epochs: 3", "not valid YAML"),
        (b"\xff\xfe\x00", "cannot be read (it is no text)"),
        (b"a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nc: {<<: [*b, *b]}\n", "an alias such as *name is not allowed"),
        (b"[" * 1000, "holds a value that YAML cannot have"),
        (b"fit:\n  epochs: 3\nseed: 1\nfit: {}\n", "fit is given twice, in lines 1 and 4; keep one of them"),
        (b"fit:\n  epochs: 3\n  'epochs': 4\n", "epochs is given twice, in lines 2 and 3; keep one of them"),
        (b"1: 2\n", "1: no such field"),
        (b"question: Why?\naxes: []\n", "is a study, no configuration; run it with: emogram study run "),
        (b"#" * 70_000, "more than 65536 characters; is it a configuration?"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.yaml")


@given(st.text(max_size=60))
def test_no_text_breaks_an_override(text: str) -> None:
    for setting in (text, f"name={text}", f"{text}=1", f"network={text}", f"fit.{text}"):
        assert len(refusal_of(setting).splitlines()) <= 1


def refusal_of(setting: str) -> str:
    try:
        load(None, [setting])
    except ConfigurationError as error:
        return str(error)
    return ""


def test_a_step_of_a_chain_goes_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("augmentation: {waveform: [speed, {name: noise, probability: 0.2}]}\n")
    chain = load(path, ["augmentation.waveform.noise.snr_db=[0, 5]", "augmentation.waveform.speed.factor=[0.5, 1]"])
    speed, noise = (step.model_dump() for step in chain.augmentation.waveform)
    assert speed["factor"] == (0.5, 1.0)
    assert (noise["probability"], noise["snr_db"]) == (0.2, (0.0, 5.0))
    with pytest.raises(ConfigurationError) as refusal:
        load(path, ["augmentation.waveform.babble.probability=1"])
    assert str(refusal.value) == (
        "augmentation.waveform.babble.probability=1: the list has no step 'babble'; it has speed, noise"
    )


def test_overrides_come_after_the_file_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("fit: {epochs: 3, batch_size: 4}\nnetwork: cnn-small\n")
    loaded = load(path, ["fit.epochs=5", "fit.epochs=6", "network.dropout=0.5", "spectrogram.n_mels=40"])
    assert (loaded.fit.epochs, loaded.fit.batch_size) == (6, 4)
    assert (loaded.network.name, loaded.network.model_dump()["dropout"]) == ("cnn-small", 0.5)
    assert loaded.spectrogram == LogMelSettings(n_mels=40)
    assert loaded.network == load(None, ["network=cnn-small", "network.dropout=0.5"]).network


def test_values_are_read_as_yaml_and_dates_as_text() -> None:
    loaded = load(None, ["name=2020-99-99", "fit.optimizer.learning_rate=1e-3", "network.squeeze_excitation=false"])
    assert loaded.name == "2020-99-99"
    assert loaded.fit.optimizer.learning_rate == 0.001
    assert loaded.network.model_dump()["squeeze_excitation"] is False


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    assert load(tmp_path / "empty.yaml") == load() == Configuration()


def test_the_resolved_configuration_comes_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "resolved.yaml"
    settings = ["corpora.tess=TESS", "network=cnn-small", "fit.balance=weights", "runtime.cache=x", "seed=7"]
    configuration = load(None, settings)
    path.write_text(configuration.to_yaml())
    assert load(path) == configuration
    assert set(yaml.safe_load(path.read_text())) == set(Configuration.model_fields)


OTHER: dict[str, Any] = {
    "seed": 1,
    "split.name": "stratified",
    "split.fold": 2,
    "split.folds": 6,
    "split.seed": 1,
    "audio.sample_rate": 8000,
    "audio.clip_s": 2.0,
    "spectrogram.window_ms": 20.0,
    "spectrogram.hop_ms": 5.0,
    "spectrogram.n_fft": 1024,
    "spectrogram.n_mels": 32,
    "spectrogram.fmin_hz": 60.0,
    "spectrogram.fmax_hz": 7000.0,
    "spectrogram.mel_scale": "slaney",
    "spectrogram.floor": 1e-5,
    "augmentation.waveform": ["gain", "speed"],
    "augmentation.spectrogram": ["masks", "filter_augment"],
    "augmentation.batch": [{"name": "mixup", "alpha": 0.2}],
    "network.name": "cnn-small",
    "network.stem_channels": 8,
    "network.stem_kernel": 3,
    "network.stem_branches": [[9, 1], [1, 11]],
    "network.stem_stride": [1, 1],
    "network.channels": [8, 8, 8, 8],
    "network.strides": [1, 2, 2, 1],
    "network.dilations": [1, 1, 2, 4],
    "network.blocks_per_stage": 2,
    "network.block": "plain",
    "network.convolution": "separable",
    "network.kernel": 5,
    "network.squeeze_excitation": False,
    "network.normalisation": "group",
    "network.activation": "silu",
    "network.stochastic_depth": 0.1,
    "network.block_dropout": 0.1,
    "network.block_dropout_kind": "channel",
    "network.sequence": "gru",
    "network.sequence_width": 64,
    "network.sequence_layers": 2,
    "network.sequence_heads": 2,
    "network.pooling": "attention",
    "network.dropout": 0.2,
    "fit.epochs": 41,
    "fit.batch_size": 16,
    "fit.optimizer.learning_rate": 1e-3,
    "fit.optimizer.weight_decay": 0.1,
    "fit.optimizer.betas": [0.9, 0.99],
    "fit.optimizer.epsilon": 1e-6,
    "fit.schedule.warm_up": 0.2,
    "fit.schedule.first": 0.2,
    "fit.schedule.last": 0.01,
    "fit.accumulation": 2,
    "fit.gradient_clip": 1.0,
    "fit.label_smoothing": 0.0,
    "fit.balance": "sampling",
    "fit.averaging.decay": 0.9,
    "fit.stability.explosion": 0.0,
    "fit.stability.batches": 5,
    "fit.monitor": "validation_loss",
    "fit.patience": 3,
}
"""Another value for every field that a result depends on."""

OTHER_NAMES = {"spectrogram": "mel", "fit.optimizer": "adam", "fit.schedule": "cosine", "fit.averaging": "swa"}
"""Another variant for every field that has some, whose own fields go with it."""

CLIPS = [("tess/a", "00", "train"), ("tess/b", "11", "test")]


def changed(field: str, value: Any) -> Configuration:
    values: dict[str, Any] = Configuration().model_dump(mode="json")
    *parents, last = field.split(".")
    inner = values
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return validate(values)


def leaves(values: dict[str, Any], before: str = "") -> set[str]:
    found = set[str]()
    for name, value in values.items():
        found |= leaves(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}"}
    return found


def test_every_field_that_a_result_depends_on_is_tried_below() -> None:
    assert set(OTHER) | {f"{field}.name" for field in OTHER_NAMES} == leaves(Configuration().determinants())


@pytest.mark.parametrize(("field", "value"), [*OTHER.items(), *OTHER_NAMES.items()])
def test_the_key_changes_with_whatever_changes_the_result(field: str, value: Any) -> None:
    assert key(changed(field, value), CLIPS, "1") != key(Configuration(), CLIPS, "1")


@pytest.mark.parametrize(
    "settings",
    [
        ["name=other"],
        ["corpora.tess=elsewhere"],
        ["runtime.threads=3"],
        ["runtime.device=cpu"],
        ["runtime.precision=fp32"],
        ["runtime.cache=elsewhere"],
    ],
)
def test_the_key_does_not_change_with_name_paths_and_runtime(settings: list[str]) -> None:
    assert key(load(None, settings), CLIPS, "1") == key(Configuration(), CLIPS, "1")


@pytest.mark.parametrize(
    "clips",
    [
        CLIPS[:1],
        CLIPS[::-1],
        [("tess/a", "00", "train"), ("tess/b", "12", "test")],
        [("tess/a", "00", "test"), ("tess/b", "11", "train")],
        [("tess/a", "00", "train"), ("tess/c", "11", "test")],
    ],
)
def test_the_key_changes_with_the_clips(clips: list[tuple[str, str, str]]) -> None:
    assert key(Configuration(), clips, "1") != key(Configuration(), CLIPS, "1")


def test_the_key_changes_with_the_code_and_stays_otherwise() -> None:
    assert key(Configuration(), CLIPS, "2") != key(Configuration(), CLIPS, "1")
    assert key(Configuration(), CLIPS, "1") == key(Configuration(), CLIPS, "1")
    assert len(key(Configuration(), CLIPS, "1")) == 16


@pytest.mark.parametrize("name", ["background", "room"])
def test_where_recordings_lie_is_no_part_of_what_a_run_is(name: str) -> None:
    def run(folder: str) -> Configuration:
        return validate({"augmentation": {"waveform": [{"name": name, "folder": folder}]}})

    here, there, others = (run(folder).determinants() for folder in ("/here/rain", "there/rain", "/here/wind"))
    assert here == there != others
    assert here["augmentation"]["waveform"][0]["folder"] == "rain"
    assert run("/here/rain").augmentation.waveform[0].model_dump()["folder"] == Path("/here/rain")


@pytest.mark.parametrize("name", ["background", "room"])
def test_which_recordings_sound_is_part_of_what_a_run_is(name: str, tmp_path: Path) -> None:
    def run(place: str, content: bytes, **fields: str) -> str:
        folder = tmp_path / place / "rain"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1-drops.wav").write_bytes(content)
        step = {"name": name, "folder": str(folder), **fields}
        return key(validate({"augmentation": {"waveform": [step]}}), CLIPS, "1")

    assert run("here", b"drops") == run("there", b"drops")
    assert run("here", b"drops") != run("elsewhere", b"hail!")
    changed = run("here", b"storm")
    assert changed != run("there", b"drops")
    (tmp_path / "here" / "rain" / "2-wind.wav").write_bytes(b"wind")
    assert run("here", b"storm") != changed
    if name == "background":
        chosen = run("here", b"storm", recordings="1-*")
        (tmp_path / "here" / "rain" / "3-sea.wav").write_bytes(b"sea")
        assert run("here", b"storm", recordings="1-*") == chosen


@pytest.mark.parametrize("field", ["waveform.speed", "spectrogram.masks"])
def test_a_step_of_the_default_chain_goes_by_its_name(field: str) -> None:
    level, name = field.split(".")
    usual = getattr(Configuration().augmentation, level)
    changed = getattr(load(None, [f"augmentation.{field}.probability=0.125"]).augmentation, level)
    assert [step.name for step in changed] == [step.name for step in usual]
    for before, after in zip(usual, changed, strict=True):
        assert after == (before.model_copy(update={"probability": 0.125}) if after.name == name else before)
    with pytest.raises(
        ConfigurationError, match=f"augmentation.{level}.noyse.probability=1: the list has no step 'noyse'"
    ):
        load(None, [f"augmentation.{level}.noyse.probability=1"])
