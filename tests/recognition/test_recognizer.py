"""The recogniser: the same answer for any source, length and thread; a model's lies are found out."""

import contextlib
import dataclasses
import io
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

import emogram
from emogram import audio
from emogram.errors import AudioError, ConfigurationError, ModelError
from emogram.recognition import InputWarning, Prediction, Problem, Recognizer, load, read_model
from emogram.recognition.recognizer import Windows
from tests.recognition.made_up import spoken
from tests.recognition.small_models import LABELS, content, expected, graph, info, pack

RATE = 16_000


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load(content())


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> audio.Wave:
    return np.random.default_rng(seed).normal(0, level, round(seconds * RATE)).astype(np.float32)


def test_a_prediction_is_what_the_graph_computes(recognizer: Recognizer) -> None:
    wave = noise(0.8)
    prediction = recognizer.predict(wave)
    probabilities = expected(wave)
    assert list(prediction.probabilities) == list(LABELS) == list(recognizer.emotions)
    np.testing.assert_allclose(list(prediction.probabilities.values()), probabilities, atol=1e-5)
    assert prediction.emotion == LABELS[int(probabilities.argmax())]
    assert prediction.confidence == max(prediction.probabilities.values())
    assert prediction.duration_s == pytest.approx(0.8)
    assert (prediction.file, prediction.model) == ("<array>", "tiny")


def test_loudness_changes_the_emotion(recognizer: Recognizer) -> None:
    assert recognizer.predict(noise(1, 0.01)).emotion == "neutral"
    assert recognizer.predict(noise(1, 0.3)).emotion == "sad"


def test_a_short_recording_is_padded(recognizer: Recognizer) -> None:
    wave = noise(0.1, 0.3)
    padded = np.pad(wave, (0, round(0.15 * RATE)))
    np.testing.assert_allclose(list(recognizer.predict(wave).probabilities.values()), expected(padded), atol=1e-5)
    assert recognizer.predict(wave).duration_s == pytest.approx(0.1)


@pytest.mark.parametrize("seconds", [1.0, 1.1, 1.5, 1.51, 2.0, 7.3])
def test_a_long_recording_is_averaged_over_half_overlapping_windows(recognizer: Recognizer, seconds: float) -> None:
    wave = noise(seconds) * np.linspace(0, 2, round(seconds * RATE), dtype=np.float32)
    starts = [*range(0, max(1, len(wave) - RATE), RATE // 2), max(0, len(wave) - RATE)]
    distinct = sorted(set(starts))
    mean = np.mean([expected(wave[start : start + RATE]) for start in distinct], axis=0)
    np.testing.assert_allclose(list(recognizer.predict(wave).probabilities.values()), mean, atol=1e-5)


@pytest.mark.parametrize("block", [1, 999, 8000, 50_000])
@pytest.mark.parametrize("samples", [1, 15_999, 16_000, 16_001, 23_999, 24_000, 24_001, 100_000])
def test_windows_cover_every_sample_however_the_blocks_fall(samples: int, block: int) -> None:
    wave = np.arange(1, samples + 1, dtype=np.float32)
    cutter = Windows(info())
    windows = list(cutter.cut(wave[start : start + block] for start in range(0, samples, block)))
    assert cutter.samples == samples
    assert set(np.concatenate(windows).tolist()) - {0.0} == set(wave.tolist())
    lengths = {len(window) for window in windows}
    assert lengths == {max(4000, samples)} if samples <= RATE else lengths == {RATE}
    assert all((np.diff(window[window > 0]) == 1).all() for window in windows)


def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 1000, 1, format="FLAC") as file:
        for _ in range(36):
            file.write(np.random.default_rng(0).normal(0, 0.1, 100_000))
    model = tmp_path / "model.onnx"
    model.write_bytes(content(window_s=20.0))
    program = """
import resource, sys, numpy, emogram
recognizer = emogram.load(sys.argv[1])
recognizer.predict(numpy.ones(16000 * 60, "float32"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert abs(recognizer.predict(sys.argv[2]).duration_s - 3600) < 0.1
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    command = [sys.executable, "-c", program, str(model), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40  # the wave would be 230 MB


def test_every_kind_of_source_gives_the_same(recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, noise(0.7), RATE, subtype="FLOAT")
    reference = recognizer.predict(noise(0.7))
    sources: list[tuple[audio.Source, str]] = [
        (str(path), str(path)),
        (path, str(path)),
        (path.read_bytes(), "<bytes>"),
    ]
    for source, name in sources:
        prediction = recognizer.predict(source)
        assert prediction.probabilities == reference.probabilities
        assert prediction.file == name
    assert recognizer.predict(io.BytesIO(path.read_bytes())).file == "<stream>"


def test_an_array_of_another_rate_is_resampled(recognizer: Recognizer) -> None:
    prediction = recognizer.predict(np.repeat(noise(0.5, 0.2), 3), array_rate=48_000)
    assert prediction.duration_s == pytest.approx(0.5, abs=1e-3)


def test_what_cannot_be_used_is_an_audio_error(recognizer: Recognizer) -> None:
    with pytest.raises(AudioError, match="silent"):
        recognizer.predict(np.zeros(RATE))


@pytest.mark.parametrize("workers", [1, 3, None])
def test_many_recordings_keep_their_order_and_their_errors(recognizer: Recognizer, workers: int | None) -> None:
    waves = [noise(0.3, level, seed) for seed, level in enumerate(np.linspace(0.01, 0.3, 40))]
    waves[7] = np.zeros(RATE, np.float32)
    answers = list(recognizer.predict_many(iter(waves), workers=workers))
    assert len(answers) == len(waves)
    for index, (wave, answer) in enumerate(zip(waves, answers, strict=True)):
        if index == 7:
            assert isinstance(answer, AudioError)
        else:
            assert answer == recognizer.predict(wave)


def test_many_recordings_are_taken_as_they_are_needed(recognizer: Recognizer) -> None:
    taken = 0

    def endless() -> Iterator[audio.Wave]:
        nonlocal taken
        while True:
            taken += 1
            yield noise(0.1)

    answers = recognizer.predict_many(endless(), workers=2)
    assert isinstance(next(answers), Prediction)
    assert taken < 10
    answers.close()  # type: ignore[attr-defined]


def test_one_recogniser_serves_many_threads(recognizer: Recognizer) -> None:
    waves = [noise(1.7, 0.1, seed) for seed in range(16)]
    alone = [recognizer.predict(wave) for wave in waves]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(recognizer.predict, waves)) == alone


def test_a_prediction_prints_on_one_line_and_converts() -> None:
    prediction = Prediction("a\nb.wav", "sad", {"happy": 0.25, "sad": 0.7, "calm": 0.05}, 0.7, 1.5, "tiny")
    assert str(prediction) == r"a\nb.wav: sad 70% (happy 25%, calm 5%)"
    assert prediction.to_dict() == {
        "file": "a\nb.wav",
        "emotion": "sad",
        "probabilities": {"happy": 0.25, "sad": 0.7, "calm": 0.05},
        "confidence": 0.7,
        "duration_s": 1.5,
        "model": "tiny",
        "uncertain": False,
        "warnings": [],
    }
    noisy = InputWarning(Problem.NOISY, "noisy: speech about 4 dB above the noise")
    doubtful = dataclasses.replace(prediction, uncertain=True, warnings=(noisy,))
    assert str(doubtful).endswith(
        "uncertain, perhaps sad 70% (happy 25%, calm 5%) [noisy: speech about 4 dB above the noise]"
    )
    assert doubtful.has_speech
    assert doubtful.to_dict()["warnings"] == [noisy.to_dict()]
    assert repr(load(content())) == "<Recognizer tiny: neutral, happy, sad>"


def test_an_answer_below_the_threshold_is_uncertain() -> None:
    wave = spoken(0.5, level=0.1)
    confidence = load(content()).predict(wave).confidence
    assert confidence < 0.5
    assert load(content()).predict(wave).uncertain
    assert not load(content(uncertain_below=confidence - 0.01)).predict(wave).uncertain
    assert load(content(uncertain_below=confidence + 0.01)).predict(wave).uncertain
    assert info().threshold == 0.5


def test_where_nobody_speaks_the_answer_is_uncertain_and_says_so(recognizer: Recognizer) -> None:
    prediction = recognizer.predict(noise(1, 0.3))
    assert prediction.uncertain
    assert not prediction.has_speech
    assert str(prediction).endswith("[no speech found]")


def test_probabilities_come_as_scikit_learn_has_them(recognizer: Recognizer) -> None:
    waves = np.stack([noise(0.5, level) for level in (0.01, 0.1, 0.3)])
    probabilities = recognizer.predict_proba(waves)
    assert probabilities.shape == (3, 3)
    np.testing.assert_allclose(probabilities, [expected(wave) for wave in waves], atol=1e-5)
    np.testing.assert_array_equal(recognizer.predict_proba(list(waves)), probabilities)
    assert recognizer.classes_.tolist() == list(LABELS)
    assert recognizer.predict_proba([]).shape == (0, 3)
    with pytest.raises(AudioError, match="does not exist"):
        recognizer.predict_proba([waves[0], "none.wav"])
    with pytest.raises(ConfigurationError, match="pass waves"):
        recognizer.predict_proba(waves[0])


def test_timelines_and_streams_of_one_recogniser_run_at_once(recognizer: Recognizer) -> None:
    def listen(level: float) -> tuple[object, object]:
        stream = recognizer.stream(hop_s=0.5)
        return recognizer.timeline(spoken(1.0, level=level)), stream.feed(spoken(1.0, level=level))

    levels = [0.02, 0.1, 0.3, 0.9] * 2
    alone = [listen(level) for level in levels]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(listen, levels)) == alone


def test_the_model_is_found_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content())
    monkeypatch.setenv("EMOGRAM_MODEL", str(path))
    assert emogram.load().info.name == "tiny"
    monkeypatch.delenv("EMOGRAM_MODEL")


def test_threads_must_be_some() -> None:
    with pytest.raises(ConfigurationError, match="threads"):
        Recognizer(read_model(content()), threads=0)


def rename_input(model: Any) -> None:
    model.graph.input[0].name = "audio"
    model.graph.node[0].input[0] = "audio"


def second_input(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def second_output(model: Any) -> None:
    model.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", 3]))


def raw_logits(model: Any) -> None:
    model.graph.node[-1].op_type = "Identity"
    del model.graph.node[-1].attribute[:]


def whole_numbers(model: Any) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def no_such_operator(model: Any) -> None:
    model.graph.node[0].op_type = "Exfiltrate"


def two_answers(model: Any) -> None:
    model.graph.node[-1].output[0] = "once"
    model.graph.node.append(helper.make_node("Concat", ["once", "once"], ["probabilities"], axis=0))


def beyond_nothing_and_one(model: Any) -> None:
    """Add up to 1 all the same: 100 times three probabilities, less 33 each."""
    model.graph.node[-1].output[0] = "once"
    for name, value in (("hundred", 100.0), ("less", 33.0)):
        model.graph.initializer.append(numpy_helper.from_array(np.array([value], np.float32), name))
    model.graph.node.append(helper.make_node("Mul", ["once", "hundred"], ["far"]))
    model.graph.node.append(helper.make_node("Sub", ["far", "less"], ["probabilities"]))


def allocate(model: Any) -> None:
    """Ask for 40 GB while the graph runs."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([10**10], np.int64), "size"))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    fill = helper.make_tensor("v", TensorProto.FLOAT, [1], [0.0])
    model.graph.node.extend(
        [
            helper.make_node("ConstantOfShape", ["size"], ["huge"], value=fill),
            helper.make_node("ReduceMax", ["huge"], ["zero"], keepdims=0),
            helper.make_node("Add", ["wave", "zero"], ["shifted"]),
        ]
    )
    nodes[0].input[0] = "shifted"
    model.graph.node.extend(nodes)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (rename_input, "does not lead from one float32 'wave'"),
        (second_input, "does not lead from one float32 'wave'"),
        (second_output, "does not lead from one"),
        (whole_numbers, "can run|does not lead"),
        (no_such_operator, "is no model that onnxruntime can run"),
        (raw_logits, "answers with no probabilities"),
        (two_answers, "answers with no probabilities"),
        (beyond_nothing_and_one, "answers with no probabilities"),
        (allocate, "fails on a recording|can run"),
    ],
)
def test_a_model_that_is_not_what_it_says_is_refused(
    change: Any, problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match=problem) as caught:
        load(content(change)).predict(noise(0.5))
    assert str(caught.value).startswith("<bytes>: ")
    assert str(caught.value).isprintable()
    assert capfd.readouterr() == ("", "")


def test_names_that_are_no_text_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    """A node's name may be any bytes for protobuf; onnxruntime's Python layer then fails, and would print."""
    for name in (b"wave", b"Softmax", b"tiny"):
        with contextlib.suppress(ModelError):
            load(content().replace(name, b"\xff" * len(name))).predict(noise(0.5))
    assert capfd.readouterr() == ("", "")


def test_a_wrong_number_of_labels_is_refused() -> None:
    with pytest.raises(ModelError, match="has 3 labels for 5 outputs"):
        load(pack(graph(5), info().to_metadata()).SerializeToString())


def test_a_cut_model_is_refused() -> None:
    with pytest.raises(ModelError):
        load(content()[:-30])
