"""The last layer of a file: found, shown, and replaced so that the file answers as the layer does."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from emogram.adaptation.graph import HeadOf, windows_of
from emogram.adaptation.head import Head
from emogram.corpora import Clip
from emogram.errors import ModelError
from emogram.networks.compaction import Bits, compact
from emogram.recognition import ModelFile, Recognizer, load, read_model
from emogram.recognition.bundled import bundled
from tests.adaptation import exported
from tests.recognition import small_models


@pytest.fixture(scope="module")
def layer() -> HeadOf:
    return HeadOf(read_model(bundled()["base"]))


def test_a_layer_put_back_answers_as_before(layer: HeadOf, voices: list[Clip]) -> None:
    again = Recognizer(read_model(layer.replaced(layer.head, layer.info)))
    for clip in voices[:3]:
        before, after = load("base").predict(clip.path), again.predict(clip.path)
        np.testing.assert_allclose(list(before.probabilities.values()), list(after.probabilities.values()), atol=1e-5)


@pytest.mark.parametrize("network", ["cnn-tiny", "crnn", "cnn6", "audiontt"])
def test_every_network_ends_in_such_a_layer(network: str, tmp_path: Path, voices: list[Clip]) -> None:
    path = exported.model(network, tmp_path)
    own = HeadOf(read_model(path))
    rows = own.rows(windows_of(voices[0].path, own.info))
    logits = own.head.logits(rows) / own.info.temperature
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    answer = list(load(path).predict(voices[0].path).probabilities.values())
    np.testing.assert_allclose(answer, expected[0], atol=1e-4)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_compact_files_have_it_too(bits: Bits, tmp_path: Path, voices: list[Clip]) -> None:
    path = exported.model("cnn-tiny", tmp_path)
    compact(path, tmp_path / "small.onnx", bits=bits)
    path_of = voices[0].path
    whole, small = (HeadOf(read_model(each)) for each in (path, tmp_path / "small.onnx"))
    np.testing.assert_allclose(small.head.weight, whole.head.weight, atol=np.abs(whole.head.weight).max() / 100)
    assert small.rows(windows_of(path_of, small.info)).shape == whole.rows(windows_of(path_of, whole.info)).shape


def test_other_emotions_and_what_the_file_says(layer: HeadOf, voices: list[Clip]) -> None:
    emotions = ("angry", "bored stiff")
    start = layer.start(emotions)
    np.testing.assert_array_equal(start.weight[0], layer.head.weight[layer.info.labels.index("angry")])
    assert not start.weight[1].any()
    info = dataclasses.replace(layer.info, labels=emotions, temperature=2.0, name="own")
    made = Recognizer(read_model(layer.replaced(Head(0 * start.weight, np.array([0.0, 2.0])), info)))
    probabilities = made.predict(voices[0].path).probabilities
    assert probabilities["bored stiff"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-5)
    assert made.info.name == "own"


def test_nothing_of_the_old_layer_stays(layer: HeadOf) -> None:
    graph = onnx.load_model_from_string(layer.replaced(layer.head, layer.info)).graph
    used = {name for node in graph.node for name in node.input}
    assert all(tensor.name in used for tensor in graph.initializer)
    assert not [tensor.name for tensor in graph.initializer if "network.head" in tensor.name]
    assert [output.name for output in graph.output] == ["probabilities"]


def test_long_recordings_have_a_row_for_every_window(layer: HeadOf, tmp_path: Path) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, round(2.4 * layer.info.window_s * layer.info.sample_rate))
    assert len(layer.rows(windows_of(wave.astype(np.float32), layer.info))) > 2


def test_a_graph_that_ends_otherwise_is_refused() -> None:
    with pytest.raises(ModelError, match="does not end in a linear layer and a softmax; adapt a model that emogram"):
        HeadOf(read_model(small_models.content()))


def changed(change: Callable[[Any], None]) -> ModelFile:
    """A model that ends as it must, after a change to its graph."""
    model = onnx.load_model_from_string(bundled()["base"].read_bytes())
    change(model.graph)
    return read_model(model.SerializeToString())


def cut_short(graph: Any) -> None:
    max(graph.initializer, key=lambda tensor: len(tensor.raw_data)).dims[0] += 1000


def of_no_type(graph: Any) -> None:
    graph.initializer.add(name="unused", dims=[1], data_type=99, raw_data=bytes(4))


def of_less_than_nothing(graph: Any) -> None:
    graph.initializer[0].dims[:] = [-8]


@pytest.mark.parametrize("change", [cut_short, of_no_type, of_less_than_nothing])
def test_a_damaged_file_is_refused_as_it_is_when_it_predicts(change: Callable[[Any], None]) -> None:
    model = changed(change)
    with pytest.raises(ModelError, match=r"^<bytes>: is no model that onnxruntime can run") as predicting:
        Recognizer(model)
    with pytest.raises(ModelError) as adapting:
        HeadOf(model)
    assert str(adapting.value) == str(predicting.value)


def test_what_onnx_alone_refuses_is_told_with_the_file() -> None:
    model = changed(lambda graph: graph.ClearField("name"))
    Recognizer(model)
    layer = HeadOf(model)
    with pytest.raises(ModelError, match=r"^<bytes>: cannot be taken apart .*export it again$"):
        layer.replaced(layer.head, layer.info)
