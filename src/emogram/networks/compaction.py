"""Compaction: a model file with its weights in 8, 12 or 16 bits, which the runtime turns back as it loads the file.

Every large weight is replaced by a few standard operators over smaller constants. They depend on no input, so that a
runtime computes them once, as the file is loaded, and answers as fast as before with float32 weights.

- 16 bits: half precision and a cast.
- 8 bits: whole numbers from -127 to 127 with one scale for every output channel.
- 12 bits: whole numbers from -2047 to 2047 with such scales: their upper 8 bits as they are, the lower 4 of every two
  numbers in one byte.

The front end keeps its full precision: its sums of windowed waves tell -80 dB from -60 dB.

Products of large matrices may be computed in whole numbers as well: what comes in is scaled to 8 bits anew for every picture,
weights to 7, so that no processor's sums run over. That is faster where there are instructions for it, not smaller than 8 bits.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from emogram.errors import ModelError
from emogram.recognition.model_file import ModelInfo, read_model
from emogram.recognition.recognizer import Recognizer, Windows
from emogram.writing import whole

Bits = Literal[8, 12, 16]
Floats = npt.NDArray[np.float32]

_LEAST = 4096
"""Numbers that a constant has at least, if it is worth the operators."""

_LARGE_MATRIX = 300_000
"""Numbers of a matrix whose products are worth whole numbers; those of attention in encoders up to 512 wide stay."""

_PRODUCT_BITS: Literal[7] = 7
"""Of a weight: the sum of two products with 8 bits of another kind fits 16."""

_FRONT_END = "classifier.spectrogram."


def compact(
    source: Path, path: Path, *, bits: Bits, info: ModelInfo | None = None, whole_products: bool = False
) -> None:
    """Write a model file again with smaller weights. A reader sees the old file or the new one, never a part.

    Args:
        source: of a model that emogram exported.
        path: to write.
        bits: of every weight.
        info: what the new file says about itself; what the old one said where not given. Labels, rates and the
            temperature are inside the graph and must stay what they were.
        whole_products: compute products of large matrices in whole numbers.

    Raises:
        ModelError: the source is no model, or `info` contradicts its graph.
    """
    read = read_model(source)
    said = read.info if info is None else info
    for name in ("labels", "sample_rate", "temperature"):
        if getattr(said, name) != getattr(read.info, name):
            raise ModelError(f"{source}: {name} is inside its graph and cannot be said anew; export the model again")
    model = onnx.load_model_from_string(read.content)
    if whole_products:
        _replace_products(model.graph)
    _replace_weights(model.graph, bits)
    del model.metadata_props[:]
    for key, value in said.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    with whole(path) as partial:
        partial.write_bytes(model.SerializeToString())


def differences(first: Path, second: Path, waves: Iterable[Floats]) -> tuple[float, float]:
    """How far the probabilities of two files lie apart, window by window: the largest difference, and the mean of windows.

    Args:
        first: a model file.
        second: another with the same labels.
        waves: [T] each.
    """
    models = [read_model(path) for path in (first, second)]
    recognizers = [Recognizer(model) for model in models]
    found: list[float] = []
    for window in (window for wave in waves for window in Windows(models[0].info).cut([wave])):
        one, other = (recognizer.probabilities(window) for recognizer in recognizers)
        found.append(float(np.abs(one - other).max()))
    return max(found, default=0.0), float(np.mean(found)) if found else 0.0


def _replace_weights(graph: Any, bits: Bits) -> None:
    uses = {name: node for node in graph.node for name in node.input}
    nodes: list[Any] = []
    kept: list[Any] = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.name.startswith(_FRONT_END) or tensor.name not in uses:
            kept.append(tensor)
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _LEAST:
            kept.append(tensor)
            continue
        smaller = _Smaller(tensor.name)
        if bits == 16:
            smaller.half(values)
        else:
            smaller.whole(values, bits, _channel_axis(values.shape, uses[tensor.name].op_type))
        kept += smaller.constants
        nodes += smaller.nodes
    graph_nodes = list(graph.node)
    del graph.node[:], graph.initializer[:]
    graph.initializer.extend(kept)
    graph.node.extend([*nodes, *graph_nodes])


def _replace_products(graph: Any) -> None:
    """Put whole numbers in place of the products with large matrices."""
    matrices = {
        tensor.name: tensor
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT
        and not tensor.name.startswith(_FRONT_END)
        and len(tensor.dims) == 2
        and np.prod(tensor.dims) >= _LARGE_MATRIX
    }
    used = Counter(name for node in graph.node for name in node.input)
    nodes: list[Any] = []
    for node in list(graph.node):
        matrix = matrices.get(node.input[1]) if node.op_type == "MatMul" else None
        if matrix is None or used[matrix.name] > 1:
            nodes.append(node)
            continue
        smaller = _Smaller(matrix.name)
        smaller.product(numpy_helper.to_array(matrix), node.input[0], node.output[0])
        nodes += smaller.nodes
        graph.initializer.remove(matrix)
        graph.initializer.extend(smaller.constants)
    del graph.node[:]
    graph.node.extend(nodes)


def _channel_axis(shape: tuple[int, ...], operator: str) -> int:
    """The axis that one scale belongs to each index of: the outputs of a product, the rows of a recurrence."""
    if operator == "MatMul":
        return len(shape) - 1
    return 1 if operator in {"GRU", "LSTM", "RNN"} else 0


def _in_whole_numbers(values: Floats, bits: int, axis: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Whole numbers from -(2 ** (bits - 1) - 1) on, and what to multiply them by: one scale for each index of an axis."""
    others = tuple(index for index in range(values.ndim) if index != axis)
    largest = 2 ** (bits - 1) - 1
    scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-30) / largest
    return np.rint(values / scale).astype(np.int32), scale.astype(np.float32)


class _Smaller:
    """The constants and operators that stand for one weight."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.constants: list[Any] = []
        self.nodes: list[Any] = []

    def half(self, values: Floats) -> None:
        """float16 and a cast."""
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ModelError(f"{self.name}: has weights that half precision cannot hold; choose 12 bits")
        self._node("Cast", [self._constant("half", values.astype(np.float16))], self.name, to=TensorProto.FLOAT)

    def whole(self, values: Floats, bits: Literal[8, 12], axis: int) -> None:
        """Whole numbers times scales."""
        numbers, scale = _in_whole_numbers(values, bits, axis)
        scales = self._constant("scale", scale)
        whole = self._joined(numbers) if bits == 12 else self._cast(self._constant("whole", numbers.astype(np.int8)))
        self._node("Mul", [whole, scales], self.name)

    def product(self, values: Floats, left: str, output: str) -> None:
        """What comes in, scaled to 8 bits by its own range, times whole numbers, times both scales."""
        numbers, scale = _in_whole_numbers(values, _PRODUCT_BITS, 1)
        heard, heard_scale, zero = (f"{self.name}/heard{part}" for part in ("", "-scale", "-zero"))
        named = f"{heard}/DynamicQuantizeLinear"
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [left], [heard, heard_scale, zero], name=named))
        whole = self._constant("whole", numbers.astype(np.int8))
        none = self._constant("zero", np.int8(0))
        total = self._cast(self._node("MatMulInteger", [heard, whole, zero, none]))
        scales = self._node("Mul", [heard_scale, self._constant("scale", scale[0])])
        self._node("Mul", [total, scales], output)

    def _joined(self, numbers: npt.NDArray[np.int32]) -> str:
        """Upper 8 bits and lower 4, two of them a byte, put together again."""
        lower = (numbers & 15).astype(np.uint8).ravel()
        pairs = np.concatenate([lower, np.zeros(len(lower) % 2, np.uint8)]).reshape(2, -1)
        upper = self._cast(self._constant("upper", (numbers >> 4).astype(np.int8)))
        both = self._constant("pairs", pairs[0] | pairs[1] << 4)
        first = self._node("BitwiseAnd", [both, self._constant("15", np.uint8(15))])
        second = self._node("BitShift", [both, self._constant("4", np.uint8(4))], direction="RIGHT")
        flat = self._node("Concat", [first, second], axis=0)
        if len(lower) % 2:
            ends = [self._constant(name, np.array([value], np.int64)) for name, value in (("0", 0), ("n", len(lower)))]
            flat = self._node("Slice", [flat, *ends])
        shape = self._constant("shape", np.array(numbers.shape, np.int64))
        sixteenfold = self._node("Mul", [upper, self._constant("16", np.float32(16))])
        return self._node("Add", [sixteenfold, self._cast(self._node("Reshape", [flat, shape]))])

    def _cast(self, whole: str) -> str:
        return self._node("Cast", [whole], to=TensorProto.FLOAT)

    def _constant(self, part: str, values: npt.ArrayLike) -> str:
        name = f"{self.name}/{part}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def _node(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{self.name}/step-{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}/{operator}", **attributes))
        return output
