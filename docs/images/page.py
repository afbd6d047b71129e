"""The pictures of the page: screenshots of a real browser with synthetic voices.

Run from the root, with Chromium and a model: python -m docs.images.page emogram-demo/run/model.onnx RUNTIME, where RUNTIME is
the folder of npm's onnxruntime-web.
"""

import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

import emogram
from emogram import audio
from emogram.corpora.synthetic import render
from emogram.recognition.recordings import Recordings
from emogram.server.page import FOLDER as PAGE
from tests.server.page_session import CHROMIUM, flags, launched, sentences, serving, visited, write

FOLDER = Path(__file__).parent
COLOURS = 170
PALETTE = (PAGE / "palette.css").read_text(encoding="utf-8")
DESKTOP = {"width": 1080, "height": 800}
PHONE = {"width": 390, "height": 844}
CONVERSATION = ("neutral", "happy", "happy", "angry", "sad", "fearful")
VOICED = {"happy", "sad", "angry", "neutral"}
TESTED = ("angry", "happy", "sad", "angry")


def main(model: Path, runtime: Path) -> None:
    """Write ``page-*.png`` beside this file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        microphone = write(folder / "microphone.wav", sentences("angry", "angry", pause_s=0.3, seed=5))
        conversation = write(folder / "conversation.wav", sentences(*CONVERSATION, seed=11))
        arguments = ("--model", model, "--recordings", folder / "kept", "--browser-runtime", runtime)
        with serving(*arguments) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags(microphone))
            _desktop(browser, address, conversation)
            _dark(browser, address, conversation)
            _phone(browser, address, conversation)
            browser.close()
        adapted(folder, microphone)


def adapted(folder: Path, microphone: Path) -> None:
    """The real-life test after the model that comes along was adapted to one voice: ``page-adapted.png``."""
    recognizer, recordings = emogram.load(), Recordings(folder / "mine")
    for clip in render(folder / "voices", speakers=2, takes=1):
        if clip.speaker.endswith("m01") and clip.emotion in VOICED:
            wave = audio.load(clip.path)
            recordings.add(wave, 16_000, intended=clip.emotion, prediction=recognizer.predict(wave))
    with (
        serving("--recordings", recordings.folder, "--adapt") as address,
        launched(microphone) as browser,
        visited(browser, address) as (page, _),
    ):
        page.set_viewport_size(DESKTOP)
        page.check("input[value=real-life]")
        page.click("#adapt-go")
        page.wait_for_selector("#adapt-undo:not([hidden])")
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)
        _keep("adapted", page.locator("#tally").screenshot())


def _desktop(browser: Any, address: str, conversation: Path) -> None:
    page = _open(browser, address, DESKTOP, "light")
    _keep("rest", page.screenshot(full_page=True))
    page.click("#record")
    page.wait_for_timeout(6400)
    _keep("recording", page.screenshot(full_page=True))
    page.click("#record")
    _answered(page)
    page.click("#why")
    page.wait_for_selector("#why-note:has-text('In colour')")
    page.wait_for_timeout(400)
    _keep("why", page.screenshot(full_page=True))
    _use(page, conversation)
    page.locator("#segment-list button").nth(3).click()
    page.wait_for_timeout(700)
    page.click("#play")
    _keep("result", page.screenshot(full_page=True))
    page.check("input[value=real-life]")
    for emotion in TESTED:
        page.check(f"input[value={emotion}]")
        page.click("#record")
        page.wait_for_timeout(2400)
        page.click("#record")
        page.wait_for_selector(f"#agreement:has-text('You meant {emotion}')")
    page.wait_for_timeout(800)
    _keep("real-life", page.screenshot(full_page=True))


def _dark(browser: Any, address: str, conversation: Path) -> None:
    page = _open(browser, address, DESKTOP, "dark")
    _use(page, conversation)
    _keep("dark", page.screenshot(full_page=True))


def _phone(browser: Any, address: str, conversation: Path) -> None:
    """Four screens of a phone side by side: at rest, recording, a result, the real-life test in the dark."""
    page = _open(browser, address, PHONE, "light")
    screens = [page.screenshot()]
    page.click("#record")
    page.wait_for_timeout(5000)
    screens.append(page.screenshot())
    page.click("#record")
    _answered(page)
    _use(page, conversation)
    page.evaluate("document.getElementById('stage').scrollIntoView()")
    page.wait_for_timeout(400)
    screens.append(page.screenshot())
    page.emulate_media(color_scheme="dark")
    page.check("input[value=real-life]")
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(600)
    screens.append(page.screenshot())
    pictures = [Image.open(io.BytesIO(screen)).convert("RGB") for screen in screens]
    gap = 24
    width, height = pictures[0].size
    whole = Image.new("RGB", (len(pictures) * width + (len(pictures) - 1) * gap, height), "#FFFFFF")
    for at, picture in enumerate(pictures):
        whole.paste(picture, (at * (width + gap), 0))
    _write("phone", whole)


def _open(browser: Any, address: str, size: dict[str, int], scheme: str) -> Page:
    context = browser.new_context(
        viewport=size, color_scheme=scheme, permissions=["microphone"], has_touch=size == PHONE, is_mobile=size == PHONE
    )
    page: Page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


def _use(page: Page, path: Path) -> None:
    page.set_input_files("#file", path)
    _answered(page)


def _answered(page: Page) -> None:
    page.wait_for_selector("#segments:not([hidden])")
    page.wait_for_selector("#spectrogram[aria-label*='seconds']")
    page.wait_for_timeout(500)


def _keep(name: str, screen: bytes) -> None:
    _write(name, Image.open(io.BytesIO(screen)).convert("RGB"))


def _write(name: str, picture: Image.Image) -> None:
    """Few colours make a small file; those of the page, which mean something, are kept as they are."""
    exact = [int(code[at : at + 2], 16) for code in re.findall(r"#([0-9A-F]{6})", PALETTE) for at in (0, 2, 4)]
    most = picture.quantize(COLOURS, dither=Image.Dither.NONE).getpalette() or []
    colours = Image.new("P", (1, 1))
    colours.putpalette([*exact, *most][: 3 * 256])
    few = picture.quantize(palette=colours, dither=Image.Dither.NONE)
    few.save(FOLDER / f"page-{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
