"""The recogniser: a model file at work on recordings of any length."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emogram import audio
from emogram.errors import AudioError, ConfigurationError, ModelError
from emogram.recognition.model_file import INPUT_NAME, OUTPUT_NAME, ModelFile, ModelInfo, read_model

MODEL_VARIABLE = "EMOGRAM_MODEL"
"""Environment variable with the path of the model to use where none is named."""

BUNDLED_MODEL = Path(__file__).parent / "models" / "base.onnx"

MAX_MODEL_MEMORY = 2 * 2**30
"""Bytes that all models of the process may hold together, weights and activations."""

MAX_WORKERS = 8

_arena_lock = threading.Lock()
_arena_ready = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model makes of one recording.

    Attributes:
        file: the recording, as it was given.
        emotion: the most probable one.
        probabilities: of every emotion the model knows, in the model's order; they sum to 1.
        confidence: the probability of `emotion`.
        duration_s: length of the recording.
        model: name of the model.
    """

    file: str
    emotion: str
    probabilities: dict[str, float]
    confidence: float
    duration_s: float
    model: str

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {
            "file": self.file,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
            "confidence": self.confidence,
            "duration_s": self.duration_s,
            "model": self.model,
        }

    def __str__(self) -> str:
        """One line: ``clip.wav: happy 87% (surprised 8%, neutral 3%)``."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])
        others = ", ".join(f"{emotion} {probability:.0%}" for emotion, probability in ranked[1:3])
        return f"{audio.name_of(self.file)}: {self.emotion} {self.confidence:.0%} ({others})"


class Recognizer:
    """A model, ready to listen. One may be shared by any number of threads.

    Args:
        model: what `read_model` returned.
        threads: processor threads that one answer may use. One is fastest for single clips; `predict_many` spreads
            recordings over processors instead.

    Raises:
        ModelError: onnxruntime refuses the graph, or the graph is not what the model says.
    """

    def __init__(self, model: ModelFile, *, threads: int = 1) -> None:
        if threads < 1:
            raise ConfigurationError(f"threads: {threads} is not 1 or more")
        self._source = model.source
        self.info = model.info
        self._session = _session(model, threads)
        _check_graph(model, self._session)

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions it tells apart, in the order of its probabilities."""
        return self.info.labels

    def predict(self, source: audio.Source, *, array_rate: int | None = None) -> Prediction:
        """The emotion of one recording.

        Recordings longer than the model's window are cut into windows that overlap by half, and their probabilities
        averaged; memory stays the same however long they are.

        Args:
            source: path, bytes, binary file object or array, as for `emogram.audio.load`.
            array_rate: sample rate of an array; the model's own where not given.

        Raises:
            AudioError: the recording cannot be used.
            ModelError: the model fails on it.
        """
        windows = Windows(self.info)
        total, count = np.zeros(len(self.emotions)), 0
        blocks = audio.blocks(source, self.info.sample_rate, block_s=windows.hop_s, array_rate=array_rate)
        for window in windows.cut(blocks):
            total += self.probabilities(window)
            count += 1
        mean = total / count
        best = int(mean.argmax())
        return Prediction(
            file=os.fspath(source) if isinstance(source, str | os.PathLike) else audio.name_of(source),
            emotion=self.emotions[best],
            probabilities=dict(zip(self.emotions, mean.tolist(), strict=True)),
            confidence=float(mean[best]),
            duration_s=windows.samples / self.info.sample_rate,
            model=self.info.name,
        )

    def predict_many(
        self, sources: Iterable[audio.Source], *, workers: int | None = None
    ) -> Iterator[Prediction | AudioError]:
        """The emotions of many recordings, in their order; in place of one that cannot be used, its error.

        Args:
            sources: recordings; taken one by one as answers are read, so there may be any number.
            workers: how many to work on at a time; as many as there are processors, up to 8, where not given.
        """
        workers = min(_processors(), MAX_WORKERS) if workers is None else workers
        if workers == 1:
            yield from map(self._answer, sources)
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="emogram") as pool:
            pending: deque[Future[Prediction | AudioError]] = deque()
            try:
                for source in sources:
                    pending.append(pool.submit(self._answer, source))
                    if len(pending) > 2 * workers:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _answer(self, source: audio.Source) -> Prediction | AudioError:
        try:
            return self.predict(source)
        except AudioError as error:
            return error

    def probabilities(self, window: audio.Wave) -> NDArray[np.float32]:
        """What the graph itself answers: probabilities [K], in the order of `emotions`, of one window [T].

        Args:
            window: at the model's sample rate, as `Windows` cuts it.

        Raises:
            ModelError: the model fails on it.
        """
        try:
            [batch] = self._session.run([OUTPUT_NAME], {INPUT_NAME: window[np.newaxis]})
        except Exception as error:
            raise _failure(self._source, "fails on a recording", error) from None
        probabilities: NDArray[np.float32] = np.asarray(batch)
        if probabilities.shape != (1, len(self.emotions)) or not abs(float(probabilities.sum()) - 1) < 1e-3:
            raise ModelError(
                f"{self._source}: answers with no probabilities of its {len(self.emotions)} labels; export it again"
            )
        answer: NDArray[np.float32] = probabilities[0]
        return answer

    def __repr__(self) -> str:
        return f"<Recognizer {self.info.name}: {', '.join(self.emotions)}>"


def load(model: str | os.PathLike[str] | bytes | None = None, *, threads: int = 1) -> Recognizer:
    """A recogniser from a model file.

    Args:
        model: path or bytes of an ONNX file that emogram exported. Where None, the file that the environment variable
            ``EMOGRAM_MODEL`` names, else the model that comes with emogram.
        threads: as for `Recognizer`.

    Raises:
        ModelError: there is no such model, or it cannot be used.
        ConfigurationError: none is named, and none comes with emogram.
    """
    if model is None:
        model = os.environ.get(MODEL_VARIABLE) or BUNDLED_MODEL
        if model == BUNDLED_MODEL and not BUNDLED_MODEL.is_file():
            remedy = f"name one (--model FILE or {MODEL_VARIABLE}=FILE); `emogram demo` and `emogram train` export one"
            raise ConfigurationError(f"model: there is none; {remedy}")
    return Recognizer(read_model(model), threads=threads)


class Windows:
    """Cuts a stream of blocks into the windows that a model takes, and counts its samples.

    Args:
        info: of the model; its ``min_s``, ``window_s`` and ``sample_rate`` count.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._shortest = max(1, round(info.min_s * info.sample_rate))
        self._size = max(2, round(info.window_s * info.sample_rate))
        self._hop = self._size // 2
        self.hop_s = self._hop / info.sample_rate
        self.samples = 0

    def cut(self, blocks: Iterable[audio.Wave]) -> Iterator[audio.Wave]:
        """All of a short recording, padded to the shortest length; else overlapping windows, the last up to the end."""
        passed = rest = np.empty(0, np.float32)
        for block in blocks:
            self.samples += len(block)
            rest = np.concatenate((rest, block))
            while len(rest) > self._size:
                yield rest[: self._size]
                passed, rest = rest[: self._hop], rest[self._hop :]
        missing = self._size - len(rest)
        last = np.concatenate((passed[len(passed) - missing :], rest)) if passed.size and missing else rest
        yield np.pad(last, (0, max(0, self._shortest - len(last))))


def _session(model: ModelFile, threads: int) -> Any:
    import onnxruntime  # noqa: PLC0415  (a quarter of the start-up, needed only here)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    _limit_memory(onnxruntime)
    try:
        # The fallback has nothing to fall back to, and tells so on standard output.
        providers = ["CPUExecutionProvider"]
        return onnxruntime.InferenceSession(model.content, options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise _failure(model.source, "is no model that onnxruntime can run", error) from None


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
        raise _failure(model.source, "names its input or output in no text", error) from None
    wanted = [[(INPUT_NAME, "tensor(float)", 2)], [(OUTPUT_NAME, "tensor(float)", 2)]]
    if shown != wanted:
        contract = f"float32 '{INPUT_NAME}' [batch, samples] to float32 '{OUTPUT_NAME}' [batch, labels]"
        raise ModelError(f"{model.source}: its graph does not lead from one {contract}; export it again")
    width = outputs[0].shape[1]
    if isinstance(width, int) and width != len(model.info.labels):
        raise ModelError(f"{model.source}: has {len(model.info.labels)} labels for {width} outputs; export it again")


def _failure(source: str, problem: str, error: Exception) -> ModelError:
    reason = "".join(letter if letter.isprintable() else " " for letter in str(error).partition("\n")[0])
    return ModelError(f"{source}: {problem} ({reason[:200]}); export it again")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
