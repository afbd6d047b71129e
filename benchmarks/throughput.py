"""Clips of 3.5 s decoded and recognised per second, beside feature extraction by openSMILE where that is installed.

The models are those that come with emogram, or the one that ``EMOGRAM_MODEL`` names. The clips are synthetic voices as
16-bit FLAC of 16 kHz. There are as many workers as processors, two at most, each with one thread. openSMILE
(``pip install opensmile``) is licensed for research alone and is no part of emogram: its eGeMAPS functionals are what one
would extract before training any classifier of one's own. Ratios mean something under any load, clips per second only
where nothing else runs.
"""

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

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
    models = {named: named} if named else {name: str(path) for name, path in bundled().items()}
    workers = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        clips = _write_clips(Path(folder))
        if not models:
            print(f"models: skipped, none comes with this copy; name one with {MODEL_VARIABLE}=FILE")
        for name, model in models.items():
            recognizer = load(model)
            _report(f"{name}, onnxruntime", lambda: _recognise(recognizer, clips, workers), len(clips), workers)  # noqa: B023
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


def _recognise(recognizer: Recognizer, clips: Sequence[Path], workers: int) -> None:
    for answer in recognizer.predict_many(clips, workers=workers):
        if isinstance(answer, AudioError):
            raise answer


def _extract(clip: Path) -> int:
    """eGeMAPS functionals of a clip, decoded as emogram decodes."""
    import opensmile

    from emogram import audio

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
