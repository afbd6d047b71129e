"""The page has the model adapted to the clips of the real-life test, and takes that back, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import emogram
from emogram import audio
from emogram.corpora.synthetic import render
from emogram.recognition.recordings import Recordings
from tests.server import page_session

pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
pytestmark = pytest.mark.skipif(page_session.CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

EMOTIONS = {"happy", "sad", "angry"}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder of the real-life test: two voices, two sentences each."""
    recognizer, recordings = emogram.load(), Recordings(tmp_path / "kept")
    for clip in render(tmp_path / "voices", speakers=2, takes=1):
        if clip.emotion in EMOTIONS:
            wave = audio.load(clip.path)
            recordings.add(
                wave, 16_000, intended=clip.emotion, prediction=recognizer.predict(wave), speaker=clip.speaker[-3:]
            )
    return tmp_path / "kept"


@pytest.fixture
def page(kept: Path, tmp_path: Path) -> Iterator[Any]:
    microphone = page_session.write(tmp_path / "microphone.wav", page_session.sentences("happy"))
    with (
        page_session.serving("--recordings", kept, "--adapt") as address,
        page_session.launched(microphone) as browser,
        page_session.visited(browser, address) as (opened, wrong),
    ):
        yield opened
        assert wrong == []


def test_the_model_is_adapted_and_put_back(page: Any, kept: Path) -> None:
    page.check("input[value=real-life]")
    page.wait_for_selector("#adapt-words:has-text('Say each emotion some times')")
    assert page.is_hidden("#adapt-undo")
    assert page.is_hidden("#adapt-how-to")
    intended = page.locator("#intended label").all_inner_texts()
    page.click("#adapt-go")
    page.wait_for_selector("#adapt-words:has-text('Adapted to')")
    page.wait_for_selector("#model-chip:has-text('base-adapted')")
    count = len(list(kept.rglob("*.flac")))
    assert f"Adapted to {count} clips: happy, sad, angry." in page.inner_text("#adapt-words")
    assert "of speakers that it was not adapted to" in page.inner_text("#adapt-words")
    assert "each is answered by a layer fitted to the other alone." in page.inner_text("#adapt-words")
    page.set_input_files("#file", next((kept / "sad").rglob("*.flac")))
    page.wait_for_selector("#agreement:has-text('You meant')")
    assert sorted(page.locator("#bars .name").all_inner_texts()) == sorted(EMOTIONS)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.check("input[value=real-life]")
    page.wait_for_selector("#adapt-words:has-text('Adapted to')")
    assert page.locator("#intended label").all_inner_texts() == intended
    page.click("#adapt-undo")
    page.wait_for_selector("#adapt-words:has-text('Say each emotion some times')")
    page.wait_for_selector("#model-chip:has-text('8 emotions')")
