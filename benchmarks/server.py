"""The server under 64 clients at once, on the loopback address: rate, times, errors by status, memory.

The model is the one that ``EMOGRAM_MODEL`` names, ``EMOGRAM_SECONDS`` how long it is asked, 20 where not given. The clients are
processes of their own on the same machine, so they take processors from the server.
"""

import collections
import io
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import soundfile

from emogram.corpora.voices import PROFILES, SENTENCES, draw_voice, speak

_CLIENTS = 64
_PROCESSES = 2
_CLIP_S = 3.5
_RATE = 16_000

_Outcome = tuple[collections.Counter[str], list[float]]


def main() -> None:
    """Print what was measured."""
    model = os.environ.get("EMOGRAM_MODEL")
    if not model:
        print("server: skipped, name a model with EMOGRAM_MODEL=FILE")
        return
    seconds = float(os.environ.get("EMOGRAM_SECONDS", "20"))
    _ways(model)
    command = [sys.executable, "-m", "emogram", "serve", "--model", model, "--port", "0", "--no-log"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            found = re.search(r"http://\S+", server.stderr.readline())
            assert found
            threading.Thread(target=server.stderr.read, daemon=True).start()
            _load(found[0], seconds)
        finally:
            server.terminate()


def _ways(model: str) -> None:
    """The same 96 clips, decoding left out: on threads one by one, and on the same threads in batches."""
    from emogram.recognition import load
    from emogram.recognition.bundled import find_model
    from emogram.recognition.model_file import read_model
    from emogram.recognition.session import Session

    recognizer = load(model)
    session = Session(read_model(find_model(model)), 1)
    waves = np.random.default_rng(0).normal(0, 0.1, (96, round(_CLIP_S * _RATE))).astype(np.float32)
    threads = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(threads) as pool:
        for size in (1, 2, 4, 8, 1):
            batches = np.split(waves, len(waves) // size)
            started, spent = time.perf_counter(), time.process_time()
            list(pool.map(session.probabilities, batches))
            wall_s, processor_s = time.perf_counter() - started, time.process_time() - spent
            rate = len(waves) / wall_s
            print(
                f"{recognizer.info.name}, {threads} threads, batches of {size}: {rate:.0f} clips/s, "
                f"{1e3 * processor_s / len(waves):.1f} ms of processor a clip"
            )


def _load(address: str, seconds: float) -> None:
    time.sleep(2)
    before = _memory_mb(address)
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        running = [pool.apply_async(_clients, (address, seconds, n, _CLIENTS // _PROCESSES)) for n in range(_PROCESSES)]
        time.sleep(seconds / 2)
        half_way = _memory_mb(address)
        outcomes = [one.get() for one in running]
    counts: collections.Counter[str] = sum((outcome[0] for outcome in outcomes), collections.Counter())
    times = np.array(sorted(value for outcome in outcomes for value in outcome[1]))
    after = _memory_mb(address)
    p50, p99, worst = (1e3 * np.quantile(times, share) for share in (0.5, 0.99, 1.0))
    print(f"{_CLIENTS} clients for {seconds:.0f} s, clips of {_CLIP_S} s as FLAC, one a request")
    print(
        f"answered: {counts['200'] / seconds:.1f} a second; p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {worst:.0f} ms"
    )
    print(f"by status: {', '.join(f'{status}: {count}' for status, count in sorted(counts.items()))}")
    print(f"memory of the server: {before:.0f} MB before, {half_way:.0f} MB half-way, {after:.0f} MB after")


def _memory_mb(address: str) -> float:
    text = httpx.get(f"{address}/metrics").text
    found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
    assert found
    return float(found[1]) / 1e6


def _clients(address: str, seconds: float, seed: int, number: int) -> _Outcome:
    """Each client sends the next clip as soon as it has an answer; one told to wait does."""
    clips = [_clip(np.random.default_rng([seed, n])) for n in range(8)]
    counts: collections.Counter[str] = collections.Counter()
    times: list[float] = []
    until = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=number)

    def ask(client: httpx.Client, n: int) -> None:
        while time.monotonic() < until:
            n += 1
            started = time.perf_counter()
            try:
                answer = client.post(
                    "/v1/predict", content=clips[n % len(clips)], headers={"Content-Type": "audio/flac"}
                )
            except httpx.HTTPError as error:
                counts[type(error).__name__] += 1
                continue
            counts[str(answer.status_code)] += 1
            if answer.status_code == 200:
                times.append(time.perf_counter() - started)
            elif "retry-after" in answer.headers:
                time.sleep(float(answer.headers["retry-after"]))

    with httpx.Client(base_url=address, timeout=90, limits=limits) as client, ThreadPoolExecutor(number) as pool:
        for future in [pool.submit(ask, client, n) for n in range(number)]:
            future.result()
    return counts, times


def _clip(rng: np.random.Generator) -> bytes:
    voice = draw_voice(rng, female=bool(rng.integers(2)))
    words = speak(voice, str(rng.choice(list(PROFILES))), SENTENCES[str(rng.choice(list(SENTENCES)))], rng)
    file = io.BytesIO()
    soundfile.write(file, np.resize(words, round(_CLIP_S * _RATE)), _RATE, format="FLAC")
    return file.getvalue()
