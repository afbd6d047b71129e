"""A model's graph at work in onnxruntime, on one thread unless told otherwise, within bounds of memory."""

import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emogram.errors import ModelError
from emogram.recognition.model_file import INPUT_NAME, OUTPUT_NAME, ModelFile

MAX_MODEL_MEMORY = 2 * 2**30
"""Bytes that all models of the process may hold together, weights and activations."""

_TOLERANCE = 1e-3

_arena_lock = threading.Lock()
_arena_ready = False


class Session:
    """A graph that has been checked against what its file says. Any number of threads may share it.

    Args:
        model: what `read_model` returned.
        threads: processor threads that one run may use.

    Raises:
        ModelError: onnxruntime refuses the graph, or the graph is not what the model says.
    """

    def __init__(self, model: ModelFile, threads: int) -> None:
        self._source = model.source
        self._labels = len(model.info.labels)
        self._session = open_session(model, threads)
        _check_graph(model, self._session)

    def probabilities(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the graph answers: probabilities [B, K] of waves [B, T].

        Raises:
            ModelError: the model fails on them, or answers with something else.
        """
        try:
            [answer] = self._session.run([OUTPUT_NAME], {INPUT_NAME: waves})
        except Exception as error:
            raise failure(self._source, "fails on a recording", error) from None
        probabilities: NDArray[np.float32] = np.asarray(answer)
        right_shape = probabilities.shape == (len(waves), self._labels)
        if not right_shape or not _are_probabilities(probabilities):
            raise ModelError(
                f"{self._source}: answers with no probabilities of its {self._labels} labels; export it again"
            )
        return probabilities


def _are_probabilities(rows: NDArray[np.float32]) -> bool:
    """Whether all lie within 0 to 1 and each row adds up to 1, as far as single precision allows."""
    within = (rows > -_TOLERANCE) & (rows < 1 + _TOLERANCE)
    return bool(within.all() and (np.abs(rows.sum(axis=1) - 1) < _TOLERANCE).all())


def open_session(model: ModelFile, threads: int) -> Any:
    """A session of onnxruntime with a model's graph, unchecked but for what onnxruntime refuses.

    Raises:
        ModelError: onnxruntime refuses it.
    """
    # Releases of onnxruntime report to their maker what is run with them, from the moment of their import. Nothing leaves here.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415  (a quarter of the start-up, needed only here)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Left to itself onnxruntime guesses, and takes a file for its own format that the scan has read as another graph.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    _limit_memory(onnxruntime)
    try:
        # The fallback has nothing to fall back to, and tells so on standard output.
        providers = ["CPUExecutionProvider"]
        return onnxruntime.InferenceSession(model.content, options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise failure(model.source, "is no model that onnxruntime can run", error) from None


def _limit_memory(onnxruntime: Any) -> None:
    """Bound what models may allocate: the shapes inside a stranger's graph can ask for anything."""
    global _arena_ready  # noqa: PLW0603
    with _arena_lock:
        if not _arena_ready:
            memory = onnxruntime.OrtMemoryInfo(
                "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
            )
            same_as_requested = 1
            arena = onnxruntime.OrtArenaCfg(MAX_MODEL_MEMORY, same_as_requested, -1, -1)
            onnxruntime.create_and_register_allocator(memory, arena)
            _arena_ready = True


def _check_graph(model: ModelFile, session: Any) -> None:
    try:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        shown = [[(item.name, item.type, len(item.shape)) for item in side] for side in (inputs, outputs)]
    except UnicodeDecodeError as error:
        raise failure(model.source, "names its input or output in no text", error) from None
    wanted = [[(INPUT_NAME, "tensor(float)", 2)], [(OUTPUT_NAME, "tensor(float)", 2)]]
    if shown != wanted:
        contract = f"float32 '{INPUT_NAME}' [batch, samples] to float32 '{OUTPUT_NAME}' [batch, labels]"
        raise ModelError(f"{model.source}: its graph does not lead from one {contract}; export it again")
    width = outputs[0].shape[1]
    if isinstance(width, int) and width != len(model.info.labels):
        raise ModelError(f"{model.source}: has {len(model.info.labels)} labels for {width} outputs; export it again")


def failure(source: str, problem: str, error: Exception) -> ModelError:
    """What is raised where a library fails on a model, with the first line of its reason as printable text."""
    reason = "".join(letter if letter.isprintable() else " " for letter in str(error).partition("\n")[0])
    return ModelError(f"{source}: {problem} ({reason[:200]}); export it again")
