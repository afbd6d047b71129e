"""The recogniser: a model file at work on recordings of any length."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from emogram import audio, processors
from emogram.errors import AudioError, ConfigurationError
from emogram.recognition.bundled import find_model
from emogram.recognition.checks import InputMeter
from emogram.recognition.explanation import Explanation, explain
from emogram.recognition.model_file import ModelFile, read_model
from emogram.recognition.results import Prediction, named
from emogram.recognition.session import Session
from emogram.recognition.stream import Stream
from emogram.recognition.timeline import Timeline, TimelineSettings, listen_through
from emogram.recognition.windows import Windows

__all__ = ["Prediction", "Recognizer", "Windows", "load"]

MAX_WORKERS = 8


class Recognizer:
    """A model, ready to listen. One may be shared by any number of threads.

    Args:
        model: what `read_model` returned.
        threads: processor threads that one answer may use. One is fastest for single clips; `predict_many` and
            `timeline` spread recordings and windows over processors instead.

    Raises:
        ModelError: onnxruntime refuses the graph, or the graph is not what the model says.
    """

    def __init__(self, model: ModelFile, *, threads: int = 1) -> None:
        if threads < 1:
            raise ConfigurationError(f"threads: {threads} is not 1 or more")
        self.info = model.info
        self._session = Session(model, threads)

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions it tells apart, in the order of its probabilities."""
        return self.info.labels

    @property
    def classes_(self) -> NDArray[np.str_]:
        """`emotions` as scikit-learn has them: the names of the columns of `predict_proba`, [K]."""
        return np.array(self.info.labels)

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
        windows, meter = Windows(self.info), InputMeter(self.info.sample_rate)
        total, count = np.zeros(len(self.emotions)), 0
        blocks = audio.blocks(source, self.info.sample_rate, block_s=windows.hop_s, array_rate=array_rate)
        for window in windows.cut(_heard(blocks, meter)):
            total += self.probabilities(window)
            count += 1
        findings = meter.close()
        emotion, probabilities, confidence = named(self.emotions, total / count)
        return Prediction(
            file=_name(source),
            emotion=emotion,
            probabilities=probabilities,
            confidence=confidence,
            duration_s=windows.samples / self.info.sample_rate,
            model=self.info.name,
            uncertain=confidence < self.info.threshold or not findings.speech,
            warnings=findings.warnings,
        )

    def predict_many(
        self, sources: Iterable[audio.Source], *, workers: int | None = None
    ) -> Iterator[Prediction | AudioError]:
        """The emotions of many recordings, in their order; in place of one that cannot be used, its error.

        Each worker decodes and recognises a recording by itself. Clips are not put into one batch: on a processor that
        was measured to give a few percent at best.

        Args:
            sources: recordings; taken one by one as answers are read, so there may be any number.
            workers: how many to work on at a time; as many as there are processors, up to 8, where not given.
        """
        workers = _workers(workers)
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

    def predict_proba(
        self, recordings: Sequence[audio.Source] | NDArray[np.floating], *, workers: int | None = None
    ) -> NDArray[np.float64]:
        """Probabilities [B, K] of recordings, as scikit-learn's classifiers give them.

        Args:
            recordings: any sources, or waves ``[B, T]`` at the model's sample rate.
            workers: as for `predict_many`.

        Raises:
            AudioError: the first recording that cannot be used.
        """
        if isinstance(recordings, np.ndarray) and recordings.ndim != 2:
            raise ConfigurationError(f"recordings: an array of {recordings.ndim} dimensions; pass waves [B, T]")
        rows = []
        for answer in self.predict_many(recordings, workers=workers):
            if isinstance(answer, AudioError):
                raise answer
            rows.append(list(answer.probabilities.values()))
        return np.array(rows, np.float64).reshape(-1, len(self.emotions))

    def timeline(
        self,
        source: audio.Source,
        *,
        window_s: float | None = None,
        hop_s: float | None = None,
        smoothing_s: float | None = None,
        min_segment_s: float = 0.5,
        array_rate: int | None = None,
        workers: int | None = None,
    ) -> Timeline:
        """Who speaks how and when: the stretches of speech in a recording of any length, cut where the emotion changes.

        Windows without speech are not looked at. Memory stays the same however long the recording is, but for about
        3 MB an hour.

        Args:
            source: as for `predict`. Silence is no error here.
            window_s: length of the windows; that of the clips the model was trained on where not given.
            hop_s: from one window to the next; half a window where not given.
            smoothing_s: over which the answers are averaged, beyond the windows themselves; two hops where not given,
                0 for none.
            min_segment_s: a shorter change of emotion within a stretch of speech is not told.
            array_rate: sample rate of an array; the model's own where not given.
            workers: how many threads recognise; as many as there are processors, up to 8, where not given.

        Raises:
            AudioError: the recording cannot be used.
            ConfigurationError: a length that cannot be.
        """
        settings = TimelineSettings.make(self.info, window_s, hop_s, smoothing_s, min_segment_s)
        blocks = audio.blocks(
            source, self.info.sample_rate, block_s=settings.block_s, array_rate=array_rate, allow_silent=True
        )
        return listen_through(
            _name(source), blocks, self._session, self.info, settings=settings, workers=_workers(workers)
        )

    def stream(
        self, *, sample_rate: int | None = None, window_s: float | None = None, hop_s: float | None = None
    ) -> Stream:
        """Listen to sound as it comes: ``stream.feed(block)`` returns what the block completed.

        Args:
            sample_rate: of the blocks, in Hz; the model's own where not given.
            window_s: length of the windows; that of the clips the model was trained on where not given.
            hop_s: from one window to the next; half a second where not given.

        Raises:
            ConfigurationError: a rate or length that cannot be.
        """
        return Stream(self._session, self.info, sample_rate=sample_rate, window_s=window_s, hop_s=hop_s)

    def explain(
        self,
        source: audio.Source,
        *,
        emotion: str | None = None,
        array_rate: int | None = None,
        workers: int | None = None,
    ) -> Explanation:
        """Which parts of a recording spoke for an emotion, in time and frequency.

        Args:
            source: as for `predict`, up to 10 minutes.
            emotion: to explain; the most probable one where not given.
            array_rate: sample rate of an array; the model's own where not given.
            workers: how many threads recognise; as many as there are processors, up to 8, where not given.

        Raises:
            AudioError: the recording cannot be used.
            ConfigurationError: an emotion that the model does not know.
            ModelError: the model fails on it.
        """
        return explain(self, source, emotion=emotion, array_rate=array_rate, workers=_workers(workers))

    def probabilities(self, window: audio.Wave) -> NDArray[np.float32]:
        """What the graph itself answers: probabilities [K], in the order of `emotions`, of one window [T].

        Args:
            window: at the model's sample rate, as `Windows` cuts it.

        Raises:
            ModelError: the model fails on it.
        """
        answer: NDArray[np.float32] = self._session.probabilities(window[np.newaxis])[0]
        return answer

    def __repr__(self) -> str:
        return f"<Recognizer {self.info.name}: {', '.join(self.emotions)}>"


def load(model: str | os.PathLike[str] | bytes | None = None, *, threads: int = 1) -> Recognizer:
    """A recogniser from a model file.

    Args:
        model: path or bytes of an ONNX file that emogram exported, or the name of one that comes with emogram (``base``,
            ``large``). Where None, what the environment variable ``EMOGRAM_MODEL`` names, else ``base``.
        threads: as for `Recognizer`.

    Raises:
        ModelError: there is no such file, or it cannot be used.
        ConfigurationError: no model comes with emogram by that name.
    """
    return Recognizer(read_model(find_model(model)), threads=threads)


def _heard(blocks: Iterable[audio.Wave], meter: InputMeter) -> Iterator[audio.Wave]:
    for block in blocks:
        meter.feed(block)
        yield block


def _name(source: audio.Source) -> str:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else audio.name_of(source)


def _workers(wanted: int | None) -> int:
    if wanted is not None and wanted < 1:
        raise ConfigurationError(f"workers: {wanted} is not 1 or more")
    return min(processors.count(), MAX_WORKERS) if wanted is None else wanted
