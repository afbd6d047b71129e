"""Small ONNX models, made in memory: an honest one, and parts for hostile ones."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from emogram.recognition import ModelInfo

LABELS = ("neutral", "happy", "sad")
WEIGHTS = np.array([[-20.0, 5.0, 10.0]], np.float32)
BIAS = np.array([1.0, 0.5, 0.0], np.float32)


def info(**changes: Any) -> ModelInfo:
    """What the honest model says about itself."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "labels": LABELS,
        "sample_rate": 16_000,
        "clip_s": 1.0,
        "min_s": 0.25,
        "window_s": 1.0,
        "temperature": 1.5,
        "normalisation": {"mean": -4.5, "std": 2.25, "scope": "training"},
        "training_corpora": ("synthetic",),
        "licence": "Apache-2.0",
        "scores": {"protocol": "speaker-disjoint", "accuracy": 0.61},
        "emogram_version": "0.1.0",
        "created": "2026-11-22",
        "configuration_hash": "0123abcd",
    }
    return ModelInfo(**(fields | changes))


def expected(wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the honest model answers: a softmax over weights times the mean magnitude of the wave."""
    logits = np.abs(wave.astype(np.float64)).mean() * WEIGHTS[0] + BIAS
    powers = np.exp(logits - logits.max())
    result: NDArray[np.float64] = powers / powers.sum()
    return result


def graph(labels: int = 3) -> Any:
    """The graph of the honest model."""
    nodes = [
        helper.make_node("Abs", ["wave"], ["magnitude"]),
        helper.make_node("ReduceMean", ["magnitude", "axes"], ["level"], keepdims=1),
        helper.make_node("MatMul", ["level", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    constants = [
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
        numpy_helper.from_array(np.resize(WEIGHTS, (1, labels)), "weights"),
        numpy_helper.from_array(np.resize(BIAS, labels), "bias"),
    ]
    wave = helper.make_tensor_value_info("wave", TensorProto.FLOAT, ["B", "T"])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["B", labels])
    return helper.make_graph(nodes, "tiny", [wave], [probabilities], constants)


def pack(body: Any, metadata: dict[str, str] | None = None, opsets: Sequence[tuple[str, int]] = (("", 18),)) -> Any:
    """A model around a graph, with the honest metadata unless others are given."""
    model = helper.make_model(body, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=9)
    helper.set_model_props(model, info().to_metadata() if metadata is None else metadata)
    return model


def content(change: Callable[[Any], None] | None = None, **fields: Any) -> bytes:
    """The bytes of the honest model, after a change to it, saying `fields` about itself."""
    model = pack(graph(), info(**fields).to_metadata())
    if change:
        change(model)
    data: bytes = model.SerializeToString()
    return data


def attribute_model() -> Any:
    """A model with a tensor and a number among a node's attributes."""
    constant = helper.make_node("Constant", [], ["one"], value=numpy_helper.from_array(np.ones(1, np.float32), "t"))
    body = graph()
    body.node.insert(0, constant)
    return pack(body)
