"""The last layer of a model file: what goes into it for a recording, and the file with another one in its place."""

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from emogram import audio
from emogram.adaptation.head import Head
from emogram.errors import ModelError
from emogram.recognition.model_file import INPUT_NAME, OUTPUT_NAME, ModelFile, ModelInfo
from emogram.recognition.session import Session, failure, open_session
from emogram.recognition.windows import Windows

_WEIGHT, _BIAS, _TEMPERATURE = "adapted.weight", "adapted.bias", "adapted.temperature"


class HeadOf:
    """The last layer of a model, a linear one under a temperature and a softmax, as emogram exports it.

    Any number of threads may share it.

    Args:
        model: what `read_model` returned.

    Raises:
        ModelError: its graph ends otherwise, is damaged, or onnxruntime refuses it.
    """

    def __init__(self, model: ModelFile) -> None:
        self.info = model.info
        self._source = model.source
        Session(model, threads=1)  # what predicting refuses is refused here too, before anything is taken apart
        with _taken_apart(model.source):
            self._model = onnx.load_model_from_string(model.content)
            layer = _layer(self._model.graph, model.source)
            self._rows, *names = (name for name in layer.input if name)
            constants = {
                tensor.name: numpy_helper.to_array(tensor)
                for tensor in self._model.graph.initializer
                if tensor.name in names
            }
            self._session = self._showing(model, [self._rows, *(name for name in names if name not in constants)])
            self.head = self._head([constants[name] if name in constants else self._run(name) for name in names])

    def _showing(self, model: ModelFile, names: Iterable[str]) -> Any:
        """A session whose graph gives these values, too."""
        shown = onnx.ModelProto()
        shown.CopyFrom(self._model)
        for name in names:
            shown.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        return open_session(dataclasses.replace(model, content=shown.SerializeToString()), threads=1)

    def _head(self, made: Sequence[npt.NDArray[Any]]) -> Head:
        weight, bias = (np.asarray(each, np.float64) for each in (*made, np.zeros(len(made[0])))[:2])
        if weight.shape[:-1] != (len(self.info.labels),) or bias.shape != (len(self.info.labels),):
            raise _unlike(self._source)
        return Head(weight, bias)

    def rows(self, windows: Iterable[audio.Wave]) -> npt.NDArray[np.float32]:
        """What goes into the layer for the windows of a recording, as `windows_of` gives them: [M, D].

        Raises:
            AudioError: the recording cannot be used.
            ModelError: the model fails on it.
        """
        return np.concatenate([self._run(self._rows, window[np.newaxis]) for window in windows])

    def start(self, emotions: tuple[str, ...]) -> Head:
        """The layer for other emotions: what it has for those that it knows, zeros for those that are new."""
        weight, bias = np.zeros((len(emotions), self.head.weight.shape[1])), np.zeros(len(emotions))
        for index, emotion in enumerate(emotions):
            if emotion in self.info.labels:
                known = self.info.labels.index(emotion)
                weight[index], bias[index] = self.head.weight[known], self.head.bias[known]
        return Head(weight, bias)

    def replaced(self, head: Head, info: ModelInfo) -> bytes:
        """The model file with another layer and all that it says about itself.

        Args:
            head: a row for each of the labels of `info`.
            info: with its temperature.

        Raises:
            ModelError: the rest of the graph is not what ONNX allows.
        """
        with _taken_apart(self._source):
            return self._replaced(head, info)

    def _replaced(self, head: Head, info: ModelInfo) -> bytes:
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        graph = model.graph
        layer = _layer(graph, self._source)
        rows, logits = layer.input[0], f"{_WEIGHT}/logits"
        scaled = f"{_TEMPERATURE}/logits"
        last = [
            helper.make_node("Gemm", [rows, _WEIGHT, _BIAS], [logits], transB=1),
            helper.make_node("Div", [logits, _TEMPERATURE], [scaled]),
            helper.make_node("Softmax", [scaled], [OUTPUT_NAME], axis=-1),
        ]
        kept = _needed(graph, rows)
        kept_constants = [tensor for tensor in graph.initializer if any(tensor.name in node.input for node in kept)]
        del graph.node[:], graph.initializer[:], graph.value_info[:], graph.output[:]
        graph.node.extend([*kept, *last])
        graph.initializer.extend(kept_constants)
        for name, values in ((_WEIGHT, head.weight), (_BIAS, head.bias), (_TEMPERATURE, np.array(info.temperature))):
            graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        shape: list[str | int | None] = ["batch", len(info.labels)]
        graph.output.append(helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, shape))
        del model.metadata_props[:]
        for key, value in info.to_metadata().items():
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content

    def _run(self, name: str, waves: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
        """A value of the graph for waves [B, T], or for silence where it hangs on none."""
        if waves is None:
            waves = np.zeros((1, max(1, round(self.info.min_s * self.info.sample_rate))), np.float32)
        try:
            [answer] = self._session.run([name], {INPUT_NAME: waves})
        except Exception as error:
            raise failure(self._source, "fails on a recording", error) from None
        return np.asarray(answer)


def windows_of(source: audio.Source, info: ModelInfo) -> Iterator[audio.Wave]:
    """The windows of a recording as the recogniser would cut them; silence is no error.

    Raises:
        AudioError: the recording cannot be used.
    """
    windows = Windows(info)
    return windows.cut(audio.blocks(source, info.sample_rate, block_s=windows.hop_s, allow_silent=True))


@contextlib.contextmanager
def _taken_apart(source: str) -> Iterator[None]:
    """Where onnx reads what a stranger wrote: it refuses with exceptions of any kind."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        raise failure(source, "cannot be taken apart", error) from None


def _layer(graph: Any, source: str) -> Any:
    """The node of the layer: that before the softmax, or before the division by the temperature."""
    made_by = {name: node for node in graph.node for name in node.output}
    softmax = made_by.get(OUTPUT_NAME)
    if softmax is None or softmax.op_type != "Softmax":
        raise _unlike(source)
    before = made_by.get(softmax.input[0])
    if before is not None and before.op_type == "Div":
        before = made_by.get(before.input[0])
    if before is None or before.op_type != "Gemm":
        raise _unlike(source)
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in before.attribute}
    usual = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}
    if {name: given.get(name, {"transB": 0}.get(name, value)) for name, value in usual.items()} != usual:
        raise _unlike(source)
    return before


def _needed(graph: Any, name: str) -> list[Any]:
    """The nodes that a value hangs on, in their order."""
    made_by = {output: index for index, node in enumerate(graph.node) for output in node.output}
    needed: set[int] = set()
    open_names = [name]
    while open_names:
        index = made_by.get(open_names.pop())
        if index is not None and index not in needed:
            needed.add(index)
            open_names.extend(graph.node[index].input)
    return [node for index, node in enumerate(graph.node) if index in needed]


def _unlike(source: str) -> ModelError:
    return ModelError(f"{source}: does not end in a linear layer and a softmax; adapt a model that emogram exported")
