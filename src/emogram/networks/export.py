"""Export: one ONNX file, wave in and probabilities out, that carries all it takes to use it."""

import copy
import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch

from emogram.errors import ModelError
from emogram.networks.classifier import Classifier, Recognition
from emogram.recognition.model_file import INPUT_NAME, OUTPUT_NAME, ModelInfo, read_model
from emogram.recognition.recognizer import Recognizer, Windows
from emogram.writing import whole

TOLERANCE = 1e-4
"""Largest difference between a probability of the file and of the trained network."""


def export(classifier: Classifier, info: ModelInfo, path: Path) -> None:
    """Write the model file; the classifier is left as it is.

    The Fourier transform becomes a convolution with windowed waves, and weights stay inside the file. A reader sees the
    old file or the new one, never a part.

    Args:
        classifier: trained.
        info: everything that the file says about itself; its temperature goes into the graph.
        path: to write.
    """
    recognition = Recognition(copy.deepcopy(classifier).cpu().float(), info.temperature).eval()
    recognition.classifier.spectrogram.for_export()
    model = _graph(recognition, example=torch.zeros(2, round(info.clip_s * info.sample_rate)))
    forget_origins(model.graph)
    for key, value in info.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    model.producer_name = "emogram"
    model.producer_version = info.emogram_version
    onnx.checker.check_model(model)
    with whole(path) as partial:
        partial.write_bytes(model.SerializeToString())


def forget_origins(graph: Any) -> None:
    """Take out of a graph what the exporter says of where each part came from: paths of this machine, which files would spread."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for inner in (attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")):
        forget_origins(inner)


def largest_difference(classifier: Classifier, path: Path, waves: Iterable[npt.NDArray[np.float32]]) -> float:
    """Largest difference between the file's probabilities and those of the network.

    Args:
        classifier: what was exported, in evaluation mode.
        path: of the file.
        waves: [T] each, of any length and level; compared window by window, as the recogniser cuts them.

    Raises:
        ModelError: the file's graph does not compute what the network computes.
    """
    model = read_model(path)
    recognizer = Recognizer(model)
    recognition = Recognition(classifier, model.info.temperature).eval()
    largest = 0.0
    for window in (window for wave in waves for window in Windows(model.info).cut([wave])):
        with torch.inference_mode():
            expected = recognition(torch.from_numpy(window)[None])[0].numpy()
        # A comparison with nan must fail, so nan has to win.
        largest = float(np.maximum(largest, np.abs(recognizer.probabilities(window) - expected).max()))
    if not largest <= TOLERANCE:
        raise ModelError(
            f"{path}: differs from the trained network by {largest:.2g}; report this with the run's folder"
        )
    return largest


def _graph(recognition: Recognition, example: torch.Tensor) -> Any:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns of its own use of what its own dependencies deprecate.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            recognition,
            (example,),
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            # Names without bounds: the shortest wave that the exporter allows follows from the front end, and where a bound
            # contradicts it the whole network is traced again.
            dynamic_shapes={"wave": {0: "batch", 1: "samples"}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto
