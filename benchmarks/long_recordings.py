"""A timeline of an hour, and what listening costs beside the network: voice activity and checks of a 3.5 s clip.

The model is the one that ``EMOGRAM_MODEL`` names. The hour is synthetic voices with pauses, as 16 kHz FLAC. Processor time
says more than wall time where other work runs.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from emogram.audio import Wave
from emogram.corpora.voices import PROFILES, SENTENCES, draw_voice, speak
from emogram.recognition import load
from emogram.recognition.checks import InputMeter

_RATE = 16_000
_HOUR_S = 3600


def main() -> None:
    """Print both."""
    _clip()
    model = os.environ.get("EMOGRAM_MODEL")
    if not model:
        print("timeline: skipped, name a model with EMOGRAM_MODEL=FILE")
        return
    with tempfile.TemporaryDirectory() as folder:
        hour = Path(folder) / "hour.flac"
        _write_hour(hour)
        # A process of its own, so that its peak memory is that of a timeline.
        code = f"from benchmarks.long_recordings import timeline; timeline({model!r}, {str(hour)!r})"
        subprocess.run([sys.executable, "-c", code], check=True)


def timeline(model: str, hour: str) -> None:
    """Print time, memory and outcome of the timeline of a recording."""
    recognizer = load(model)
    started, spent = time.perf_counter(), time.process_time()
    outcome = recognizer.timeline(hour)
    wall_s, processor_s = time.perf_counter() - started, time.process_time() - spent
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"timeline of {outcome.duration_s:.0f} s with {outcome.speech_s:.0f} s of speech in {len(outcome.segments)} "
        f"segments: {wall_s:.1f} s wall, {processor_s:.1f} s processor, peak memory {peak_mb:.0f} MB"
    )


def _clip() -> None:
    wave = _speech(np.random.default_rng(0), 3.5)
    best = float("inf")
    for _ in range(20):
        started = time.process_time()
        meter = InputMeter(_RATE)
        meter.feed(wave)
        meter.close()
        best = min(best, time.process_time() - started)
    print(f"voice activity and checks of 3.5 s, best of 20: {1e3 * best:.1f} ms")


def _speech(rng: np.random.Generator, seconds: float) -> Wave:
    parts: list[Wave] = []
    while sum(map(len, parts)) < seconds * _RATE:
        voice = draw_voice(rng, female=bool(rng.integers(2)))
        emotion = str(rng.choice(list(PROFILES)))
        words = speak(voice, emotion, SENTENCES[str(rng.choice(list(SENTENCES)))], rng)
        parts += [np.asarray(words, np.float32), np.zeros(int(rng.integers(_RATE)), np.float32)]
    return np.concatenate(parts)[: round(seconds * _RATE)]


def _write_hour(path: Path) -> None:
    minutes = _speech(np.random.default_rng(1), 300)
    with soundfile.SoundFile(path, "w", _RATE, 1, format="FLAC") as file:
        for _ in range(_HOUR_S // 300):
            file.write(minutes)
