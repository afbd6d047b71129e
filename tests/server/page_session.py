"""A real server and a real browser for the tests of the page: Debian's Chromium, whose microphone plays a clip."""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from emogram.audio import Wave
from emogram.corpora.voices import SENTENCES, draw_voice, speak

RATE = 16_000
VIEWPORT = {"width": 1200, "height": 900}

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)


def flags(microphone: Path) -> list[str]:
    """What Chromium is started with, so that its microphone plays a WAV file again and again."""
    return [*_FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]


@contextmanager
def launched(microphone: Path) -> Iterator[Any]:
    """Chromium, whose microphone plays a WAV file again and again."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags(microphone))
        yield running
        running.close()


@contextmanager
def visited(browser: Any, address: str) -> Iterator[tuple[Any, list[str]]]:
    """The page at an address, ready, and what goes wrong in it."""
    with browser.new_context(viewport=VIEWPORT, permissions=["microphone"]) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        yield page, wrong


def sentences(*emotions: str, pause_s: float = 0.4, seed: int = 0) -> Wave:
    """A synthetic voice that says a sentence in each emotion, with pauses before, between and after."""
    rng = np.random.default_rng(seed)
    voice = draw_voice(rng, female=False)
    pause = rng.normal(0, 3e-5, round(pause_s * RATE))
    parts = [pause]
    for emotion, vowels in zip(emotions, list(SENTENCES.values()) * len(emotions), strict=False):
        parts += [speak(voice, emotion, vowels, rng), pause]
    return np.concatenate(parts).astype(np.float32)


def tones(*frequencies_hz: float, each_s: float = 0.5) -> Wave:
    """Tones one after the other."""
    time_s = np.arange(round(each_s * RATE)) / RATE
    return np.concatenate([0.1 * np.sin(2 * np.pi * hertz * time_s) for hertz in frequencies_hz]).astype(np.float32)


def write(path: Path, wave: Wave) -> Path:
    """A wave as a WAV file."""
    soundfile.write(path, wave, RATE, subtype="PCM_16")
    return path


@contextmanager
def serving(*arguments: str | Path) -> Iterator[str]:
    """`emogram serve` with these arguments on a free port; its address."""
    command = [sys.executable, "-m", "emogram", "serve", "--port", "0", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"Serving at (http://\S+)", line):
                    threading.Thread(target=process.stderr.read, daemon=True).start()
                    yield found[1]
                    return
            raise AssertionError("the server did not start: " + "".join(said))
        finally:
            process.terminate()
            process.wait(timeout=20)
