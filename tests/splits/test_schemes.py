"""Drawn splits: balanced, disjoint where they say so, and the same everywhere."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emogram import splits
from emogram.corpora import emodb, tess
from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, SplitError
from emogram.splits.draw import apportion
from tests.splits.clips import SHARES, a_clip, fingerprint, recorded, released, speakers, speech


class TestStratified:
    @given(recorded(min_speakers=1), SHARES, st.integers(0, 5))
    def test_every_clip_once_exact_sizes_and_every_emotion_in_its_share(
        self, clips: list[Clip], fractions: tuple[float, float, float], seed: int
    ) -> None:
        expected = apportion(len(clips), fractions)
        assume(min(expected) > 0)
        split = splits.make(clips, "stratified", seed=seed, fractions=fractions)
        assert sorted(c.clip_id for part in split.parts().values() for c in part) == sorted(c.clip_id for c in clips)
        assert list(split.sizes.values()) == expected
        for emotion, total in Counter(clip.emotion for clip in clips).items():
            tested = sum(clip.emotion == emotion for clip in split.test)
            assert abs(tested - total * len(split.test) / len(clips)) < 1
            validated = sum(clip.emotion == emotion for clip in split.validation)
            assert abs(validated - total * len(split.validation) / len(clips)) < 2

    def test_ravdess_70_10_20(self) -> None:
        split = splits.make(speech(), "stratified")
        assert split.sizes == {"train": 1008, "validation": 144, "test": 288}
        assert Counter(clip.emotion for clip in split.test)["neutral"] == 19
        assert not split.speaker_disjoint
        assert "speakers of the test part are in training" in split.notes[0]

    @pytest.mark.parametrize("seed", range(20))
    def test_identical_audio_and_augmented_copies_stay_together(self, seed: int) -> None:
        clips = speech(4)
        twin = replace(clips[7], sha256=clips[3].sha256)
        copy = a_clip("ravdess/copy", clips[9].speaker, clips[9].emotion, source_sha256=clips[9].sha256)
        copy_of_copy = a_clip("ravdess/copy2", copy.speaker, copy.emotion, source_sha256=copy.sha256)
        clips = [*clips[:7], twin, *clips[8:], copy, copy_of_copy]
        split = splits.make(clips, "stratified", seed=seed)
        part_of = split.part_of()
        assert part_of[twin.clip_id] == part_of[clips[3].clip_id]
        assert len({part_of[clip.clip_id] for clip in (clips[9], copy, copy_of_copy)}) == 1
        assert list(split.sizes.values()) == apportion(len(clips), (0.7, 0.1, 0.2))
        splits.require_no_leak(split)

    def test_bundles_too_large_for_a_part_keep_together_at_the_cost_of_exact_sizes(self) -> None:
        clips = [a_clip(f"own/{i}", emotion="sad", sha256=f"{i // 5}") for i in range(20)]
        split = splits.make(clips, "stratified", fractions=(0.5, 0.25, 0.25))
        assert splits.audit(split) == []
        assert sorted(split.sizes.values()) == [5, 5, 10]
        with pytest.raises(SplitError, match="validation would be empty"):
            splits.make(clips, "stratified")

    def test_needs_no_speaker(self) -> None:
        clips = [replace(clip, speaker="") for clip in speech(2)]
        assert splits.audit(splits.make(clips, "stratified")) == []

    def test_other_seed_other_split(self) -> None:
        clips = speech(3)
        assert len({fingerprint(splits.make(clips, "stratified", seed=seed)) for seed in range(10)}) == 10


class TestBySpeaker:
    @settings(deadline=None, max_examples=25)
    @given(recorded(), SHARES, st.integers(0, 5))
    def test_every_clip_once_and_no_speaker_twice(
        self, clips: list[Clip], fractions: tuple[float, float, float], seed: int
    ) -> None:
        split = splits.make(clips, "speaker", seed=seed, fractions=fractions)
        assert sorted(c.clip_id for part in split.parts().values() for c in part) == sorted(c.clip_id for c in clips)
        assert splits.audit(split) == []
        assert split.speaker_disjoint

    @pytest.mark.parametrize("seed", range(5))
    def test_ravdess_is_balanced_in_clips_and_sexes(self, seed: int) -> None:
        split = splits.make(speech(), "speaker", seed=seed)
        assert split.sizes == {"train": 1020, "validation": 120, "test": 300}
        for part in split.parts().values():
            sexes = Counter(clip.sex for clip in part)
            assert abs(sexes["female"] - sexes["male"]) <= 60

    def test_uneven_speakers_come_near_the_fractions(self) -> None:
        split = splits.make(list(released(emodb)), "speaker")
        for part, fraction in zip(split.parts().values(), (0.7, 0.1, 0.2), strict=True):
            assert len(part) / 535 == pytest.approx(fraction, abs=0.03)
            assert {clip.emotion for clip in part} == {clip.emotion for clip in list(released(emodb))}

    def test_other_seed_other_speakers(self) -> None:
        clips = speech()
        tests = {tuple(sorted(speakers(splits.make(clips, "speaker", seed=seed).test))) for seed in range(8)}
        assert len(tests) == 8

    def test_two_speakers_are_refused_with_the_alternatives(self) -> None:
        with pytest.raises(
            SplitError, match=r"needs 3 speakers .* 2 \(tess-OAF, tess-YAF\); use 'loso' .*'stratified'"
        ):
            splits.make(list(released(tess)), "speaker")

    @pytest.mark.parametrize("name", ["speaker", "kfold", "loso"])
    def test_clips_without_speaker_are_refused_with_the_alternatives(self, name: str) -> None:
        clips = speech(4)
        clips[5] = replace(clips[5], speaker="")
        with pytest.raises(
            SplitError, match=f"1 of 240 clips have no speaker .first: {clips[5].clip_id}.*'stratified'"
        ):
            splits.make(clips, name)


class TestFolds:
    @settings(deadline=None, max_examples=10)
    @given(recorded(min_clips=6), st.integers(2, 3), st.integers(0, 3))
    def test_kfold_tests_every_clip_once(self, clips: list[Clip], folds: int, seed: int) -> None:
        made = [splits.make(clips, "kfold", fold=fold, folds=folds, seed=seed) for fold in range(1, folds + 1)]
        assert sorted(clip.clip_id for split in made for clip in split.test) == sorted(clip.clip_id for clip in clips)
        assert all(sum(split.sizes.values()) == len(clips) for split in made)
        assert not any(leak.severity == "error" for split in made for leak in splits.audit(split))

    def test_kfold_of_ravdess(self) -> None:
        made = [splits.make(speech(), "kfold", fold=fold) for fold in range(1, splits.n_folds(speech(), "kfold") + 1)]
        assert sorted(len(split.test) for split in made) == [240, 300, 300, 300, 300]
        assert all(len(speakers(split.validation)) == 3 for split in made)

    def test_loso_tests_each_speaker_in_turn(self) -> None:
        clips = list(released(emodb))
        assert splits.n_folds(clips, "loso") == 10
        made = [splits.make(clips, "loso", fold=fold) for fold in range(1, 11)]
        assert [speakers(split.test) for split in made] == [{name} for name in sorted(speakers(clips))]
        assert all(splits.audit(split) == [] for split in made)

    def test_loso_with_two_speakers_validates_by_clip_and_says_so(self) -> None:
        split = splits.make(list(released(tess)), "loso", fold=2)
        assert split.sizes == {"train": 1260, "validation": 140, "test": 1400}
        assert speakers(split.test) == {"tess-YAF"}
        assert split.speaker_disjoint
        assert split.validation_by_clip
        assert "tess-OAF is the only speaker left" in split.notes[0]
        (leak,) = splits.audit(split)
        assert (leak.severity, leak.speakers) == ("notice", ("tess-OAF",))

    def test_too_few_speakers(self) -> None:
        with pytest.raises(SplitError, match="cannot make 5 folds of 4"):
            splits.make(speech(4), "kfold")
        with pytest.raises(SplitError, match="'loso' needs 2 speakers"):
            splits.make(speech(1), "loso")

    @pytest.mark.parametrize(("name", "fold"), [("kfold", 6), ("loso", 0), ("ravdess-luna", 6)])
    def test_a_fold_that_does_not_exist(self, name: str, fold: int) -> None:
        with pytest.raises(ConfigurationError, match=f"^there is no fold {fold}; split '{name}' has folds 1 to"):
            splits.make(speech(), name, fold=fold)

    def test_a_second_fold_where_there_is_one(self) -> None:
        with pytest.raises(
            ConfigurationError,
            match=r"fold 2; split 'speaker' has but one, choose fold 1, or .* for example split\.name=kfold",
        ):
            splits.make(speech(), "speaker", fold=2)
