"""Models of which one knows what they listen to, and a sound for them."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from emogram.audio import Wave
from emogram.recognition import Recognizer, read_model
from tests.recognition.made_up import RATE, noise
from tests.recognition.small_models import LABELS, info, pack

HEARD_HZ = 2000.0
HAPPY = LABELS.index("happy")


def content(nodes: list[Any], constants: dict[str, Any], **fields: Any) -> bytes:
    """A model: the louder ``level`` [B, 1], which the nodes make of ``wave``, the more it is happy."""
    weights, bias = np.zeros((1, 3), np.float32), np.zeros(3, np.float32)
    weights[0, HAPPY], bias[HAPPY] = 60, -2
    nodes = [
        *nodes,
        helper.make_node("MatMul", ["level", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    held = {"weights": weights, "bias": bias, **constants}
    body = helper.make_graph(
        nodes,
        "ear",
        [helper.make_tensor_value_info("wave", TensorProto.FLOAT, ["B", "T"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["B", 3])],
        [numpy_helper.from_array(value, name) for name, value in held.items()],
    )
    data: bytes = pack(body, info(window_s=10.0, **fields).to_metadata()).SerializeToString()
    return data


def pitch_model() -> bytes:
    """Happy by how loud `HEARD_HZ` is anywhere, and deaf to all else."""
    time_s = np.arange(800) / RATE
    waves = np.stack([np.cos(2 * np.pi * HEARD_HZ * time_s), np.sin(2 * np.pi * HEARD_HZ * time_s)])
    nodes = [
        helper.make_node("Unsqueeze", ["wave", "one"], ["waves"]),
        helper.make_node("Conv", ["waves", "kernel"], ["filtered"], strides=[160]),
        helper.make_node("ReduceL2", ["filtered", "axes"], ["loudness"], keepdims=0),
        helper.make_node("ReduceMax", ["loudness", "one"], ["level"], keepdims=1),
    ]
    kernel = (waves * np.hanning(800) / 200).astype(np.float32)[:, None]
    return content(nodes, {"kernel": kernel, "one": np.array([1]), "axes": np.array([1])})


def ear_for_a_pitch() -> Recognizer:
    """A recogniser with that model."""
    return Recognizer(read_model(pitch_model()))


def ear_for_a_moment(start_s: float, end_s: float) -> Recognizer:
    """Happy by how loud it is between two moments, and deaf before and after."""
    nodes = [
        helper.make_node("Slice", ["wave", "start", "end", "one"], ["piece"]),
        helper.make_node("Abs", ["piece"], ["magnitude"]),
        helper.make_node("ReduceMean", ["magnitude", "one"], ["level"], keepdims=1),
    ]
    ends = {"start": np.array([round(start_s * RATE)]), "end": np.array([round(end_s * RATE)])}
    return Recognizer(read_model(content(nodes, {"one": np.array([1]), **ends})))


def tone(hz: float, start_s: float, end_s: float, level: float, seconds: float = 2.0) -> Wave:
    time_s = np.arange(round(seconds * RATE)) / RATE
    inside = (time_s >= start_s) & (time_s < end_s)
    return (level * np.sin(2 * np.pi * hz * time_s) * inside).astype(np.float32)


def bursts() -> Wave:
    """Two seconds: the tone that is heard within the span from 1.0 to 1.25 s, louder ones of other pitch for longer."""
    return noise(2.0, 0.002) + tone(HEARD_HZ, 1.05, 1.2, 0.15) + tone(500, 0.2, 1.7, 0.3) + tone(4500, 0.3, 1.7, 0.2)
