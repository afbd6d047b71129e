"""Splits of several corpora together."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emogram import splits
from emogram.corpora import emodb, ravdess, tess
from emogram.corpora.clip import Clip
from emogram.emotions import EMOTIONS
from emogram.errors import SplitError
from tests.splits.clips import a_clip, released, speakers, speech


@st.composite
def joined(draw: st.DrawFn) -> list[Clip]:
    """Two or three corpora by other speakers, spoken and sung, in any mixture of emotions."""
    clips = []
    for corpus in ("one", "three", "two")[: draw(st.integers(2, 3))]:
        for speaker in range(draw(st.integers(1, 9))):
            emotions = draw(st.lists(st.sampled_from(EMOTIONS[:4]), min_size=1, max_size=4))
            for index, emotion in enumerate(emotions):
                more = {"kind": draw(st.sampled_from(["speech", "song"])), "sex": "female" if speaker % 2 else "male"}
                clips.append(a_clip(f"{corpus}/{speaker}-{index}", f"{corpus}-{speaker}", emotion, **more))
    return draw(st.permutations(clips))


class TestSeveralCorpora:
    @staticmethod
    def require_disjoint(split: splits.Split, clips: Sequence[Clip]) -> None:
        assert splits.audit(split) == []
        parts = [speakers(part) for part in split.parts().values()]
        assert sum(map(len, parts)) == len(set().union(*parts))
        assert speakers(split.left_out) <= parts[1] | parts[2] | (speakers(clips) - set().union(*parts))
        assert {clip.kind for clip in split.test + split.validation} == {"speech"}
        assert {c.emotion for c in split.test + split.validation} <= {c.emotion for c in split.train}
        assert sum(split.sizes.values()) + len(split.left_out) == len(clips)

    @settings(max_examples=25, deadline=None)
    @given(joined(), st.integers(0, 3), st.sampled_from(["leave-corpus-out", "release"]))
    def test_no_speaker_of_a_part_is_anywhere_else(self, clips: list[Clip], seed: int, name: str) -> None:
        for fold in range(1, splits.n_folds(clips, name) + 1):
            try:
                split = splits.make(clips, name, fold=fold, seed=seed)
            except SplitError:
                continue
            self.require_disjoint(split, clips)
            if name == "leave-corpus-out":
                [tested] = {clip.corpus for clip in split.test}
                assert tested == sorted({clip.corpus for clip in clips})[fold - 1]
                assert tested not in {clip.corpus for clip in split.train + split.validation}

    @settings(max_examples=4, deadline=None)
    @given(st.data(), st.integers(1, 6))
    def test_a_protocol_with_any_clips_beside_it_tests_the_same_on_speakers_heard_nowhere_else(
        self, data: st.DataObject, fold: int
    ) -> None:
        beside = [*released(ravdess, "song"), *released(emodb)[::9], *released(tess)[::70]]
        extra = data.draw(st.lists(st.sampled_from(beside), unique=True, max_size=60))
        alone = splits.make(speech(), "ravdess-emobox", fold=fold)
        split = splits.make([*extra, *speech()], "ravdess-emobox", fold=fold)
        assert (split.test, split.validation) == (alone.test, alone.validation)
        assert set(alone.train) <= set(split.train)
        self.require_disjoint(split, [*extra, *speech()])
        held = speakers(split.test + split.validation)
        assert set(split.left_out) == {clip for clip in extra if clip.speaker in held}

    def test_ravdess_tess_and_emodb_in_turn(self) -> None:
        clips = [*released(ravdess), *released(tess), *released(emodb)]
        assert splits.n_folds(clips, "leave-corpus-out") == 3
        found = [splits.make(clips, "leave-corpus-out", fold=fold) for fold in (1, 2, 3)]
        assert [split.sizes for split in found] == [
            {"train": found[0].sizes["train"], "validation": 180, "test": 454},
            {"train": found[1].sizes["train"], "validation": found[1].sizes["validation"], "test": 1248},
            {"train": found[2].sizes["train"], "validation": found[2].sizes["validation"], "test": 2800},
        ]
        assert "boredom" in found[0].notes[0]
        assert "calm" in found[1].notes[0]
        assert {clip.corpus for clip in found[1].validation} == {"emodb"}
        assert {clip.corpus for clip in found[2].validation} == {"emodb", "ravdess"}
        assert {clip.sex for clip in found[1].validation} == {"female", "male"}

    def test_a_release_spares_two_pairs_of_the_corpus_with_most_speakers(self) -> None:
        clips = [*released(ravdess), *released(tess), *released(emodb)]
        split = splits.make(clips, "release")
        for part in (split.test, split.validation):
            assert len(speakers(part)) == 2
            assert {clip.sex for clip in part} == {"female", "male"}
        assert len(split.test) == len(split.validation) == 120
        assert len(speakers(split.train)) == 20 + 2 + 10

    def test_corpora_that_cannot_be_split_so(self) -> None:
        with pytest.raises(SplitError, match="needs 2 corpora or more"):
            splits.make(speech(6), "leave-corpus-out")
        with pytest.raises(SplitError, match="nobody can validate"):
            splits.make([*speech(6), a_clip("own/1", "own-1")], "leave-corpus-out", fold=2)
        with pytest.raises(SplitError, match="'release' needs a corpus with speech by 3 speakers"):
            splits.make(released(tess), "release")
