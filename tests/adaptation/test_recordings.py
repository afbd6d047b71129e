"""A model adapted to a folder of recordings, as the server does it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from emogram import audio
from emogram.adaptation import adapt
from emogram.adaptation.recordings import adapt_to_recordings
from emogram.corpora import Clip
from emogram.errors import CorpusError
from emogram.recognition import load, read_model
from emogram.recognition.bundled import find_model
from emogram.recognition.recordings import Recordings


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


def test_a_model_with_an_emotion_of_its_own_is_adapted_to_it(voices: list[Clip], tmp_path: Path) -> None:
    """What the real-life test keeps, its adaptation reads."""
    renamed = [replace(clip, emotion="contempt") if clip.emotion == "angry" else clip for clip in voices]
    own = [clip for clip in renamed if clip.emotion in {"contempt", "sad"}]
    model = adapt(own, base(), name="own").content
    recognizer, kept = load(model), Recordings(tmp_path / "mine")
    for clip in own[::3]:
        wave = audio.load(clip.path)
        prediction = recognizer.predict(wave)
        kept.add(wave, 16_000, intended=clip.emotion, prediction=prediction, speaker=clip.speaker)
    content, facts = adapt_to_recordings(tmp_path / "mine", model)
    assert list(load(content).emotions) == facts["emotions"] == ["sad", "contempt"]
    assert facts["clips"] == len(own[::3])


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no clip"):
        adapt_to_recordings(tmp_path, base())
