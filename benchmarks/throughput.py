"""Clips of 3.5 s decoded and recognised per second, beside feature extraction by openSMILE where that is installed.

The models are those that come with emogram, or the one that ``EMOGRAM_MODEL`` names. The clips are synthetic voices as
16-bit FLAC of 16 kHz. There are as many workers as processors, two at most, each with one thread. OpenVINO, where it is
installed, runs the same file on the same waves, decoded before. openSMILE (``pip install opensmile``) is licensed for
research alone and is no part of emogram: its eGeMAPS functionals are what one would extract before training any classifier
of one's own. Ratios mean something under any load, clips per second only where nothing else runs.
"""

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from emogram import audio
from emogram.corpora.voices import PROFILES, SENTENCES, draw_voice, speak
from emogram.errors import AudioError
from emogram.recognition import Recognizer, load
from emogram.recognition.bundled import MODEL_VARIABLE, bundled

_RATE = 16_000
_CLIP_S = 3.5
_CLIPS = 200
_ROUNDS = 3
_FEWER = 10
"""openSMILE gets every tenth clip, which takes long enough."""


def main() -> None:
    """Print clips per second of every model, and of openSMILE."""
    named = os.environ.get(MODEL_VARIABLE)
    models = {named: Path(named)} if named else bundled()
    workers = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        clips = _write_clips(Path(folder))
        if not models:
            print(f"models: skipped, none comes with this copy; name one with {MODEL_VARIABLE}=FILE")
        for name, model in models.items():
            recognizer = load(model)
            _report(f"{name}, onnxruntime", partial(_recognise, recognizer, clips, workers), len(clips), workers)
            _graphs(name, model, recognizer, clips)
        if importlib.util.find_spec("opensmile") is None:
            print("openSMILE: skipped, not installed (research licence): pip install opensmile")
            return
        few = clips[::_FEWER]
        with ProcessPoolExecutor(workers) as pool:
            list(pool.map(_extract, few[:workers]))  # its library is loaded before the clock runs
            _report("openSMILE eGeMAPSv02 functionals", lambda: list(pool.map(_extract, few)), len(few), workers)


def _report(what: str, work: Callable[[], object], count: int, workers: int) -> None:
    """Print the best of several rounds."""
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    print(
        f"{what}, {workers} workers: {count / best:.0f} clips/s, {1e3 * workers * best / count:.1f} ms a clip and worker"
    )


def _graphs(name: str, model: Path, recognizer: Recognizer, clips: Sequence[Path]) -> None:
    """The graph alone on one thread: onnxruntime, and OpenVINO in both precisions where it is installed."""
    waves = [audio.load(clip, _RATE) for clip in clips[::_FEWER]]
    _report(f"{name}, onnxruntime, graph alone", lambda: [*map(recognizer.probabilities, waves)], len(waves), 1)
    if importlib.util.find_spec("openvino") is None:
        print("OpenVINO: skipped, not installed: pip install openvino")
        return
    import openvino

    core = openvino.Core()
    for precision in ("f32", "bf16"):
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        work = partial(_infer, request, waves)
        _report(f"{name}, OpenVINO {precision}, graph alone", work, len(waves), 1)


def _infer(request: Any, waves: Sequence[audio.Wave]) -> None:
    for wave in waves:
        request.infer([wave[np.newaxis]])


def _recognise(recognizer: Recognizer, clips: Sequence[Path], workers: int) -> None:
    for answer in recognizer.predict_many(clips, workers=workers):
        if isinstance(answer, AudioError):
            raise answer


def _extract(clip: Path) -> int:
    """eGeMAPS functionals of a clip, decoded as emogram decodes."""
    import opensmile

    global _extractor  # noqa: PLW0603 - one a process
    if _extractor is None:
        _extractor = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    return len(_extractor.process_signal(audio.load(clip), _RATE).columns)


_extractor = None


def _write_clips(folder: Path) -> list[Path]:
    """Clips of synthetic speech, each of its own voice, sentence and emotion."""
    rng = np.random.default_rng(0)
    paths = []
    for index in range(_CLIPS):
        words = speak(
            draw_voice(rng, female=bool(index % 2)),
            str(rng.choice(list(PROFILES))),
            SENTENCES[str(rng.choice(list(SENTENCES)))],
            rng,
        )
        paths.append(folder / f"{index}.flac")
        soundfile.write(paths[-1], np.resize(words, round(_CLIP_S * _RATE)).astype(np.float32), _RATE)
    return paths
