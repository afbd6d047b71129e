"""A model adapted to a folder of recordings, as the server does it."""

import json
from pathlib import Path

import pytest
import soundfile

from emogram import audio
from emogram.adaptation.recordings import adapt_to_recordings
from emogram.corpora import Clip
from emogram.errors import CorpusError
from emogram.recognition import load, read_model
from emogram.recognition.bundled import find_model


def base() -> bytes:
    return read_model(find_model("base")).content


def test_facts_are_those_of_the_adaptation(voices: list[Clip], tmp_path: Path) -> None:
    for clip in voices:
        folder = tmp_path / "mine" / clip.emotion / clip.speaker
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{Path(clip.path).stem}.flac", audio.load(clip.path), 16_000)
    heard: list[tuple[int, int]] = []
    content, facts = adapt_to_recordings(
        tmp_path / "mine", base(), heard=lambda done, total: heard.append((done, total))
    )
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["clips"], facts["speakers"], facts["other_speakers"]) == (len(voices), 4, True)
    assert heard[-1] == (len(voices), len(voices))
    assert facts["after"]["value"] > facts["before"]["value"]
    assert facts["after"]["low"] <= facts["after"]["value"] <= facts["after"]["high"]
    assert facts["sentence"].startswith("The adapted model is better")
    recognizer = load(content)
    assert recognizer.info.name == "base-adapted"
    assert list(recognizer.emotions) == facts["emotions"] == ["neutral", "happy", "sad", "angry"]


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no clip"):
        adapt_to_recordings(tmp_path, base())
