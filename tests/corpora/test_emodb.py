from collections import Counter
from pathlib import Path

import pytest

from emogram.corpora.emodb import official, read


def test_a_name_says_all() -> None:
    clip = read(Path("wav/16b10Td.flac"))
    assert clip is not None
    assert (clip.clip_id, clip.speaker, clip.sex, clip.age) == ("emodb/16b10Td", "emodb-16", "female", "31")
    assert (clip.emotion, clip.raw_label, clip.text, clip.take) == ("sad", "T", "b10", "d")


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("W", "angry"),
        ("L", "boredom"),
        ("E", "disgust"),
        ("A", "fearful"),
        ("F", "happy"),
        ("T", "sad"),
        ("N", "neutral"),
    ],
)
def test_letters_are_german_initials(letter: str, emotion: str) -> None:
    clip = read(Path(f"03a01{letter}a.wav"))
    assert clip is not None
    assert clip.emotion == emotion


@pytest.mark.parametrize("name", ["03a01Xa.wav", "04a01Wa.wav", "03a01wa.wav", "03a01W.wav", "laryngo/03a01Wa.wav"])
def test_other_names_are_not_emodb(name: str) -> None:
    assert read(Path(name)) is None


def test_the_release_has_its_published_counts() -> None:
    counts = Counter(clip_id[-2] for clip_id in official(()))
    assert counts == {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}
    speakers = Counter(clip_id[6:8] for clip_id in official(()))
    assert len(speakers) == 10
    assert speakers["14"] == 69
