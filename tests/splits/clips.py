"""Clips that are splits' material: official releases without audio, and drawn corpora."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

from hypothesis import strategies as st

from emogram import splits
from emogram.corpora import ravdess
from emogram.corpora.clip import Clip
from emogram.emotions import EMOTIONS


def a_clip(clip_id: str, speaker: str = "", emotion: str = "happy", **more: str) -> Clip:
    corpus = clip_id.partition("/")[0]
    digest = hashlib.sha256(clip_id.encode()).hexdigest()
    return Clip(
        **{  # type: ignore[arg-type]
            "clip_id": clip_id,
            "path": f"{clip_id}.wav",
            "corpus": corpus,
            "speaker": speaker,
            "emotion": emotion,
            "raw_label": emotion,
            "sha256": digest,
            **more,
        }
    )


@cache
def released(module: ModuleType, *kinds: str) -> tuple[Clip, ...]:
    """Every clip of a corpus's official release, each with a hash of its own."""
    clips = []
    for clip_id in sorted(module.official(kinds)):
        clip = module.read(Path(f"{clip_id}.wav"))
        assert clip is not None
        clips.append(replace(clip, sha256=hashlib.sha256(clip_id.encode()).hexdigest()))
    return tuple(clips)


def speech(actors: int = 24) -> list[Clip]:
    return [clip for clip in released(ravdess, "speech") if int(clip.speaker[-2:]) <= actors]


@cache
def six_actors() -> splits.Split:
    return splits.make(speech(6), "speaker")


def speakers(clips: Sequence[Clip]) -> set[str]:
    return {clip.speaker for clip in clips}


def fingerprint(split: splits.Split) -> str:
    rows = sorted(f"{clip_id} {part}" for clip_id, part in split.part_of().items())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


@st.composite
def recorded(draw: st.DrawFn, min_speakers: int = 3, min_clips: int = 1) -> list[Clip]:
    """A corpus with any number of clips by each speaker, in any mixture of emotions."""
    clips = []
    for speaker in range(draw(st.integers(min_speakers, 9))):
        emotions = draw(st.lists(st.sampled_from(EMOTIONS[:5]), min_size=min_clips, max_size=12))
        sex = draw(st.sampled_from(["female", "male", ""]))
        clips += [a_clip(f"own/{speaker}-{index}", f"own-{speaker}", e, sex=sex) for index, e in enumerate(emotions)]
    return draw(st.permutations(clips))


SHARES = st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)).map(
    lambda t: (t[0] / sum(t), t[1] / sum(t), t[2] / sum(t))
)
