from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from emogram import audio
from emogram.corpora import Clip, check, scan
from emogram.corpora.synthetic import SYNTHETIC, render
from emogram.errors import ConfigurationError


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Clip]]:
    folder = tmp_path_factory.mktemp("voices")
    return folder, render(folder, speakers=4, takes=1)


def test_what_is_rendered_is_scanned_alike(voices: tuple[Path, list[Clip]]) -> None:
    folder, clips = voices
    assert scan("synthetic", folder) == clips
    assert check("synthetic", folder).complete
    assert not list(folder.rglob("*.partial"))


def test_every_speaker_says_every_sentence_in_every_emotion(voices: tuple[Path, list[Clip]]) -> None:
    clips = voices[1]
    assert Counter(clip.emotion for clip in clips) == dict.fromkeys(SYNTHETIC.emotions, 16)
    assert Counter((clip.speaker, clip.sex) for clip in clips) == {
        ("synthetic-f01", "female"): 24,
        ("synthetic-f02", "female"): 24,
        ("synthetic-m01", "male"): 24,
        ("synthetic-m02", "male"): 24,
    }
    assert Counter(clip.text for clip in clips) == dict.fromkeys(("s1", "s2", "s3", "s4"), 24)
    assert len({clip.sha256 for clip in clips}) == len(clips) == 96


def test_clips_are_audible_and_last_about_two_seconds(voices: tuple[Path, list[Clip]]) -> None:
    facts = [audio.probe(clip.path) for clip in voices[1]]
    assert all(fact.rate == 16_000 and fact.format == "WAV PCM_16" for fact in facts)
    assert all(0.8 < fact.duration_s < 4 for fact in facts)
    assert 1.5 < np.mean([fact.duration_s for fact in facts]) < 2.3
    assert all(0.05 < fact.peak < 1 and not fact.clipped for fact in facts)


def test_the_seed_decides_all_and_more_takes_or_speakers_change_none(
    voices: tuple[Path, list[Clip]], tmp_path: Path
) -> None:
    hashes = {clip.clip_id: clip.sha256 for clip in voices[1]}
    more = {clip.clip_id: clip.sha256 for clip in render(tmp_path / "more", speakers=2, takes=2)}
    assert {clip_id: more[clip_id] for clip_id in more if clip_id in hashes} == {
        clip_id: sha256 for clip_id, sha256 in hashes.items() if "01_" in clip_id
    }
    other = {clip.sha256 for clip in render(tmp_path / "other", speakers=2, takes=1, seed=1)}
    assert not other & set(hashes.values())


@pytest.mark.parametrize("options", [{"speakers": 1}, {"speakers": 100}, {"takes": 0}, {"takes": 100}, {"seed": -1}])
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="give 2 to 99 speakers, 1 to 99 takes"):
        render(tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()
