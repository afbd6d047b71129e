"""Splits by name, and what is refused."""

import pytest

from emogram import splits
from emogram.errors import ConfigurationError, SplitError
from tests.splits.clips import fingerprint, speech


class TestMake:
    @pytest.mark.parametrize("name", ["stratified", "speaker", "kfold", "loso", "release", "ravdess-emobox"])
    def test_does_not_depend_on_the_order_of_clips(self, name: str) -> None:
        clips = speech()
        scrambled = sorted(clips, key=lambda clip: clip.sha256)
        assert splits.make(clips, name, seed=3) == splits.make(scrambled, name, seed=3)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("stratified", "0b7c3c54596238aa"),
            ("speaker", "a0feeb19daf7830e"),
            ("kfold", "59725e537d1ddd3e"),
            ("loso", "37fa5b0aa6a1a7c9"),
            ("ravdess-emobox", "b6056f56fda07c18"),
            ("ravdess-luna", "5df2b998fbca083a"),
        ],
    )
    def test_the_draw_is_the_one_of_earlier_releases(self, name: str, expected: str) -> None:
        assert fingerprint(splits.make(speech(), name, seed=7)) == expected

    def test_parts_are_sorted_and_know_their_clips(self) -> None:
        split = splits.make(speech(4), "stratified")
        for part, clips in split.parts().items():
            assert list(clips) == sorted(clips, key=lambda clip: clip.clip_id)
            assert all(split.part_of()[clip.clip_id] == part for clip in clips)
        assert tuple(split.parts()) == splits.PARTS

    def test_a_mistyped_name_suggests_the_nearest(self) -> None:
        with pytest.raises(ConfigurationError, match="did you mean 'speaker'"):
            splits.make(speech(3), "speeker")
        with pytest.raises(ConfigurationError, match="choose from stratified"):
            splits.n_folds(speech(3), "zzz")

    @pytest.mark.parametrize(
        "fractions", [(0.7, 0.1, 0.1), (0.8, 0.0, 0.2), (1.2, -0.4, 0.2), (float("nan"), 0.5, 0.5)]
    )
    def test_fractions_must_be_three_parts_of_one(self, fractions: tuple[float, float, float]) -> None:
        with pytest.raises(ConfigurationError, match="three numbers above 0 that add up to 1"):
            splits.make(speech(3), "stratified", fractions=fractions)

    def test_a_clip_listed_twice_is_refused(self) -> None:
        clips = speech(3)
        with pytest.raises(SplitError, match=f"clip {clips[0].clip_id} is listed twice"):
            splits.make([*clips, clips[0]], "speaker")

    def test_too_few_clips(self) -> None:
        with pytest.raises(SplitError, match="2 clips are too few, validation would be empty"):
            splits.make(speech(1)[:2], "stratified")
