"""What a run learns from: clips, their split, the emotions among them, and the identity that follows."""

from dataclasses import replace
from pathlib import Path

import pytest

from emogram.corpora import Clip, write_manifest
from emogram.errors import AudioError, ConfigurationError, CorpusError, LeakError, SplitError
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration, load
from emogram.training.material import gather, prepare
from tests.training import runs


def clips(speakers: int = 5, corpus: str = "one", emotions: tuple[str, ...] = ("sad", "happy")) -> list[Clip]:
    return [
        Clip(
            clip_id=f"{corpus}/{speaker}-{emotion}",
            path=f"{corpus}/{speaker}-{emotion}.wav",
            corpus=corpus,
            speaker=f"{corpus}-{speaker}",
            emotion=emotion,
            raw_label=emotion,
            sha256=f"{corpus}{speaker}{emotion}",
        )
        for speaker in range(speakers)
        for emotion in emotions
    ]


def test_clips_come_from_every_corpus_or_its_manifest(material: runs.Material, tmp_path: Path) -> None:
    scanned = material.clips()
    write_manifest(tmp_path / "other.csv", clips())
    configuration = material.configuration(f"corpora.own={tmp_path / 'other.csv'}")
    told: list[tuple[int, int]] = []
    assert gather(configuration, progress=lambda *counts: told.append(counts)) == [*scanned, *clips()]
    assert told[-1] == (len(scanned), len(scanned))


def test_without_a_corpus_the_error_says_how_to_name_one() -> None:
    with pytest.raises(
        ConfigurationError, match=r"corpora: none given; name one, for example --corpus ravdess-speech=PATH"
    ):
        gather(Configuration())


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ("corpora.ravdes=x", ConfigurationError, "did you mean 'ravdess'?"),
        ("corpora.tess=nowhere", CorpusError, "nowhere"),
        ("corpora.tess=nowhere.csv", CorpusError, "nowhere.csv: cannot be read as a manifest"),
    ],
)
def test_a_corpus_that_is_not_there_is_named(setting: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as refusal:
        gather(load(None, [setting]))
    assert message in str(refusal.value)


def test_an_unreadable_clip_is_an_error_or_told(tmp_path: Path) -> None:
    path = tmp_path / "f01_angry_s1_t01.wav"
    path.write_bytes(b"no audio")
    configuration = load(None, [f"corpora.synthetic={tmp_path}"])
    with pytest.raises(AudioError, match="f01_angry_s1_t01"):
        gather(configuration)
    told: list[AudioError] = []
    assert gather(configuration, on_unreadable=told.append) == []
    assert [error.source for error in told] == [str(path)]


def test_each_corpus_has_its_own_emotions() -> None:
    both = clips(emotions=("sad", "happy")) + clips(corpus="two", emotions=("happy", "angry"))
    material = prepare(Configuration(), both)
    assert material.emotions == ("happy", "sad", "angry")
    assert material.allowed == {"one": frozenset({"happy", "sad"}), "two": frozenset({"happy", "angry"})}
    assert sorted(clip.clip_id for clip, _ in material.rows()) == sorted(clip.clip_id for clip in both)


def test_a_split_that_cannot_be_made_says_why() -> None:
    with pytest.raises(SplitError, match="needs 3 speakers or more"):
        prepare(Configuration(), clips(speakers=2))


def test_a_leak_is_refused() -> None:
    same = [replace(clip, sha256="same") for clip in clips()]
    with pytest.raises(LeakError):
        prepare(Configuration(), same)


def test_the_identity_is_of_content_not_of_place() -> None:
    configuration = Configuration()
    identity = prepare(configuration, clips()).identity(configuration)
    moved = [replace(clip, path=f"/elsewhere/{clip.path}") for clip in clips()]
    assert prepare(configuration, moved).identity(configuration) == identity
    assert prepare(configuration, clips()[::-1]).identity(configuration) == identity
    other = [replace(clip, sha256=f"{clip.sha256}!") for clip in clips()]
    assert prepare(configuration, other).identity(configuration) != identity
    assert prepare(configuration, clips(speakers=6)).identity(configuration) != identity


def test_a_dataset_takes_the_clips_that_are_asked_for(material: runs.Material) -> None:
    configuration = material.configuration()
    prepared = prepare(configuration, clips())
    cache = AudioCache(material.cache, runs.RATE)
    train = prepared.split.train
    assert prepared.dataset("train", cache).clips == train
    assert prepared.dataset("train", cache, indices=[2, 0]).clips == (train[2], train[0])
    plain, augmented = prepared.dataset("train", cache), prepared.dataset("train", cache, augmented_by=configuration)
    assert (plain.augmentation, plain.crop_length) == (None, None)
    assert (augmented.augmentation, augmented.crop_length) == (configuration.augmentation.waveform, 8000)
