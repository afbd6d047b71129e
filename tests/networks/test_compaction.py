"""Compaction: smaller files with nearly the same answers, which the scan of strangers' files accepts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from emogram.errors import ModelError
from emogram.networks.compaction import Bits, compact, differences
from emogram.recognition.model_file import read_model
from emogram.recognition.recognizer import Recognizer
from tests.recognition.small_models import graph, info, pack


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose front end multiplies and whose network convolves, takes rows of a table and multiplies."""
    rng = np.random.default_rng(0)

    def constant(name: str, *shape: int) -> onnx.TensorProto:
        return onnx.numpy_helper.from_array(rng.normal(0, 0.2, shape).astype(np.float32), name)

    body = graph()
    del body.node[:]
    make = onnx.helper.make_node
    body.node.extend(
        [
            make("Reshape", ["wave", "as_channels"], ["channels"]),
            make("Conv", ["channels", "classifier.spectrogram.kernel"], ["spec"], strides=[160]),
            make("Conv", ["spec", "convolution"], ["features"]),
            make("Relu", ["features"], ["positive"]),
            make("ReduceMean", ["positive", "last"], ["mean"], keepdims=0),
            make("MatMul", ["mean", "hidden"], ["middle"]),
            make("Gemm", ["middle", "head"], ["logits"], transB=1),
            make("Softmax", ["logits"], ["probabilities"], axis=-1),
        ]
    )
    del body.initializer[:]
    body.initializer.extend(
        [
            onnx.numpy_helper.from_array(np.array([0, 1, -1], np.int64), "as_channels"),
            onnx.numpy_helper.from_array(np.array([-1], np.int64), "last"),
            constant("classifier.spectrogram.kernel", 33, 1, 401),
            constant("convolution", 67, 33, 3),
            constant("hidden", 67, 65),
            constant("head", 3, 65),
        ]
    )
    path = tmp_path_factory.mktemp("compaction") / "model.onnx"
    path.write_bytes(pack(body, opsets=[("", 20)]).SerializeToString())
    return path


def waves() -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    rng = np.random.default_rng(1)
    return [rng.normal(0, level, 16_000).astype(np.float32) for level in (0.01, 0.1, 0.5)]


@pytest.mark.parametrize(("bits", "bytes_a_weight", "largest"), [(8, 1.0, 2e-2), (12, 1.5, 1e-3), (16, 2.0, 1e-3)])
def test_weights_shrink_and_answers_stay(
    source: Path, tmp_path: Path, bits: Bits, bytes_a_weight: float, largest: float
) -> None:
    path = tmp_path / "small.onnx"
    compact(source, path, bits=bits)
    weights = 67 * 33 * 3 + 67 * 65
    saved = source.stat().st_size - path.stat().st_size
    assert saved == pytest.approx((4 - bytes_a_weight) * weights, abs=3500)
    assert [file.name for file in tmp_path.iterdir()] == ["small.onnx"]
    found, mean = differences(source, path, waves())
    assert 0 < mean <= found <= largest
    assert read_model(path).info == read_model(source).info


def test_weights_are_turned_back_exactly_as_numbers_and_scales_say(source: Path, tmp_path: Path) -> None:
    """12 bits, an odd number of weights: what the file computes is the nearest of 4095 steps."""
    path = tmp_path / "small.onnx"
    compact(source, path, bits=12)
    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_tensor_value_info("convolution", onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    [turned_back] = session.run(["convolution"], {"wave": waves()[0][None]})
    original = onnx.numpy_helper.to_array(
        next(tensor for tensor in onnx.load(source).graph.initializer if tensor.name == "convolution")
    )
    step = np.abs(original).max(axis=(1, 2), keepdims=True) / 2047
    assert original.size % 2 == 1
    assert (np.abs(turned_back - original) < 0.5001 * step).all()


def product(folder: Path) -> Path:
    """A model that is one product of a large matrix, behind a front end that multiplies as well."""
    rng = np.random.default_rng(3)
    body = graph()
    del body.node[:], body.initializer[:]
    make = onnx.helper.make_node
    body.node.extend(
        [
            make("Reshape", ["wave", "as_frames"], ["frames"]),
            make("MatMul", ["frames", "classifier.spectrogram.weights"], ["spec"]),
            make("MatMul", ["spec", "large"], ["wide"]),
            make("Relu", ["wide"], ["positive"]),
            make("MatMul", ["positive", "small"], ["narrow"]),
            make("ReduceMean", ["narrow", "frame_axis"], ["logits"], keepdims=0),
            make("Softmax", ["logits"], ["probabilities"], axis=-1),
        ]
    )
    for name, values in (
        ("as_frames", np.array([0, -1, 512], np.int64)),
        ("frame_axis", np.array([1], np.int64)),
        ("classifier.spectrogram.weights", rng.normal(0, 0.1, (512, 512)).astype(np.float32)),
        ("large", (rng.normal(0, 0.1, (512, 600)) * rng.uniform(0.1, 9, 600)).astype(np.float32)),
        ("small", rng.normal(0, 0.2, (600, 3)).astype(np.float32)),
    ):
        body.initializer.append(onnx.numpy_helper.from_array(values, name))
    path = folder / "product.onnx"
    path.write_bytes(pack(body, opsets=[("", 20)]).SerializeToString())
    return path


def test_products_of_large_matrices_are_of_whole_numbers(tmp_path: Path) -> None:
    """As numpy multiplies them: 8 bits of what comes in, 7 of the weights, whatever the processor."""
    source, path = product(tmp_path), tmp_path / "whole.onnx"
    compact(source, path, bits=12, whole_products=True)
    model = onnx.load(path)
    assert [node.op_type for node in model.graph.node].count("MatMulInteger") == 1
    for name in ("spec", "wide"):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    wave = waves()[2][None, : 512 * 30]
    spec, wide = session.run(["spec", "wide"], {"wave": wave})
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(source).graph.initializer}
    np.testing.assert_allclose(spec[0], wave.reshape(30, 512) @ weights["classifier.spectrogram.weights"], atol=1e-4)
    scale = np.abs(weights["large"]).max(axis=0) / 63
    low, high = min(spec.min(), 0), max(spec.max(), 0)
    step = (high - low) / 255
    zero = np.rint(-low / step)
    heard = np.clip(np.rint(spec[0] / step) + zero, 0, 255) - zero
    expected = (heard @ np.rint(weights["large"] / scale)) * step * scale
    # A number at the edge of a step may fall to either side.
    assert np.abs(wide[0] - expected).max() < 2 * 63 * step * scale.max()
    np.testing.assert_allclose(np.abs(wide[0] - expected).mean(), 0, atol=1e-3 * np.abs(expected).mean())
    found, mean = differences(source, path, [wave[0]])
    assert 0 < mean <= found < 2e-2


def test_the_front_end_and_small_constants_stay_as_they_are(source: Path, tmp_path: Path) -> None:
    compact(source, tmp_path / "small.onnx", bits=8)
    kept = {tensor.name: tensor for tensor in onnx.load(tmp_path / "small.onnx").graph.initializer}
    for tensor in onnx.load(source).graph.initializer:
        if tensor.name in {"classifier.spectrogram.kernel", "head", "last"}:
            assert kept[tensor.name] == tensor


def test_the_file_says_what_it_is_told_but_not_what_its_graph_denies(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    compact(source, path, bits=16, info=info(name="other", card="said\nanew"))
    assert Recognizer(read_model(path)).info.card == "said\nanew"
    with pytest.raises(ModelError, match="temperature is inside its graph"):
        compact(source, path, bits=16, info=replace(info(), temperature=9.0))


def test_weights_beyond_half_precision_are_refused(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    for tensor in model.graph.initializer:
        if tensor.name == "hidden":
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.full((67, 65), 1e6, np.float32), "hidden"))
    (tmp_path / "loud.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="hidden: has weights that half precision cannot hold; choose 12 bits"):
        compact(tmp_path / "loud.onnx", tmp_path / "small.onnx", bits=16)
    assert not (tmp_path / "small.onnx").exists()
