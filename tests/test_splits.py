"""Splits: exact, balanced, the same everywhere, and without a leak that the audit does not find."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emogram import splits
from emogram.corpora import cremad, emodb, ravdess, savee, tess
from emogram.corpora.clip import Clip
from emogram.emotions import EMOTIONS
from emogram.errors import ConfigurationError, LeakError, SplitError
from emogram.splits.draw import apportion


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


class TestApportion:
    @given(st.integers(0, 10_000), st.lists(st.floats(0.001, 1), min_size=1, max_size=9))
    def test_adds_up_and_stays_within_one_of_the_quota(self, total: int, weights: list[float]) -> None:
        counts = apportion(total, weights)
        assert sum(counts) == total
        whole = sum(map(Fraction, weights))
        for count, weight in zip(counts, weights, strict=True):
            assert abs(count - total * Fraction(weight) / whole) < 1 + 1e-6

    @pytest.mark.parametrize(("total", "expected"), [(1440, [1008, 144, 288]), (535, [375, 53, 107]), (3, [2, 0, 1])])
    def test_largest_remainder(self, total: int, expected: list[int]) -> None:
        assert apportion(total, (0.7, 0.1, 0.2)) == expected


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

    @pytest.mark.parametrize(("name", "fold"), [("kfold", 6), ("loso", 0), ("speaker", 2), ("ravdess-luna", 6)])
    def test_a_fold_that_does_not_exist(self, name: str, fold: int) -> None:
        with pytest.raises(ConfigurationError, match=f"fold {fold}: split '{name}' has folds 1 to"):
            splits.make(speech(), name, fold=fold)


class TestProtocols:
    @pytest.mark.parametrize(
        ("name", "clips"),
        [
            ("ravdess-emobox", speech()),
            ("ravdess-luna", speech()),
            ("savee-loso", list(released(savee))),
            ("emobox-emodb", list(released(emodb))),
        ],
    )
    def test_folds_test_every_clip_of_the_corpus_once(self, name: str, clips: list[Clip]) -> None:
        made = [splits.make(clips, name, fold=fold) for fold in range(1, splits.n_folds(clips, name) + 1)]
        assert sorted(clip.clip_id for split in made for clip in split.test) == sorted(clip.clip_id for clip in clips)
        assert splits.protocol(name).clips == len(clips)
        for split in made:
            splits.require_no_leak(split)
            assert not any("not comparable" in note for note in split.notes)

    @pytest.mark.parametrize("fold", range(1, 7))
    def test_ravdess_emobox_validates_on_three_unseen_actors_of_both_sexes(self, fold: int) -> None:
        split = splits.make(speech(), "ravdess-emobox", fold=fold)
        assert split.sizes == {"train": 1020, "validation": 180, "test": 240}
        assert {clip.sex for clip in split.validation} == {"female", "male"}
        other = splits.make(speech(), "ravdess-emobox", fold=fold, seed=1)
        assert other.test == split.test

    def test_song_by_a_tested_actor_never_trains(self) -> None:
        clips = list(released(ravdess))
        split = splits.make(clips, "ravdess-emobox", fold=1)
        assert speakers(split.test) == {"ravdess-01", "ravdess-11", "ravdess-20", "ravdess-21"}
        assert {clip.kind for clip in split.test + split.validation} == {"speech"}
        assert (
            sum(clip.kind == "song" for clip in split.train)
            == (23 - 7 + ("ravdess-18" in speakers(split.validation))) * 44
        )
        assert {clip.kind for clip in split.left_out} == {"song"}
        assert speakers(split.left_out) <= speakers(split.test + split.validation)
        assert sum(split.sizes.values()) + len(split.left_out) == len(clips)
        assert splits.audit(split) == []
        assert len(split.notes) == 2

    def test_other_corpora_only_train(self) -> None:
        split = splits.make([*list(released(savee)), *list(released(emodb))], "savee-loso", fold=1)
        assert {clip.corpus for clip in split.train} == {"savee", "emodb"}
        assert {clip.corpus for clip in split.validation + split.test} == {"savee"}
        assert "535 clips beyond the protocol" in split.notes[0]

    def test_cremad_evar_has_its_own_validation(self) -> None:
        split = splits.make(list(released(cremad)), "cremad-evar")
        assert split.sizes == {"train": 5155, "validation": 732, "test": 1551}
        assert [len(speakers(part)) for part in split.parts().values()] == [63, 9, 19]
        assert len(split.left_out) == 4
        assert splits.audit(split) == []

    @pytest.mark.parametrize(
        ("name", "clips", "tested"),
        [("emobox-tess", list(released(tess)), 700), ("emobox-cremad", list(released(cremad)), 1856)],
    )
    def test_clip_folds_are_marked_speaker_dependent(self, name: str, clips: list[Clip], tested: int) -> None:
        split = splits.make(clips, name)
        assert len(split.test) == tested
        assert len(split.validation) == round(0.1 * (len(clips) - tested))
        assert not split.speaker_disjoint
        assert {leak.severity for leak in splits.audit(split)} == {"notice"}
        assert "report it as speaker-dependent" in split.notes[0]
        assert sum(split.sizes.values()) == splits.protocol(name).clips == len(clips)

    def test_a_missing_speaker_or_test_clip_is_an_error(self) -> None:
        with pytest.raises(SplitError, match="speakers 23, 24 of ravdess are missing"):
            splits.make(speech(22), "ravdess-emobox")
        gone = [clip for clip in list(released(tess)) if clip.clip_id != "tess/OAF_bar_fear"]
        with pytest.raises(SplitError, match=r"1 of 700 test clips of tess are missing .first: OAF-bar-fear"):
            splits.make(gone, "emobox-tess")
        with pytest.raises(SplitError, match="needs speech of the corpus 'savee'"):
            splits.make(speech(2), "savee-loso")

    def test_another_missing_clip_is_told(self) -> None:
        split = splits.make(speech()[1:], "ravdess-emobox", fold=2)
        assert split.notes == ("1439 clips where the protocol has 1440: not comparable with published results",)

    def test_every_protocol_names_its_source(self) -> None:
        for name in splits.PROTOCOLS:
            published = splits.protocol(name)
            assert published.name == name
            assert "repository" in published.source

    def test_real_corpora(self, emogram_data: Path) -> None:
        """The stems on disk are those of the published folds."""
        stems = sorted(path.stem for path in (emogram_data / "emodb" / "wav").glob("*.flac"))
        assert stems == sorted(stem for fold in splits.protocol("emobox-emodb").tests for stem in fold)
        found = {path.stem.replace("_", "-") for path in (emogram_data / "tess").glob("*/*.ogg")}
        assert set(splits.protocol("emobox-tess").tests[0]) < found


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


class TestAudit:
    @staticmethod
    def planted(part: str, clip: Clip) -> splits.Split:
        return replace(six_actors(), **{part: (*six_actors().parts()[part], clip)})  # type: ignore[arg-type]

    @given(st.permutations(splits.PARTS), st.integers(0, 50))
    @settings(deadline=None, max_examples=20)
    def test_finds_each_planted_leak(self, parts: list[str], index: int) -> None:
        """Whatever the two parts and the clip."""
        source = six_actors().parts()[parts[0]][index]
        lone = a_clip("ravdess/planted", "somebody")
        cases = {
            "same clip": source,
            "same audio": replace(lone, sha256=source.sha256),
            "augmented copy": replace(lone, source_sha256=source.sha256),
            "same speaker": replace(lone, speaker=source.speaker),
        }
        for kind, clip in cases.items():
            split = self.planted(parts[1], clip)
            found = [leak for leak in splits.audit(split) if leak.kind == kind]
            assert [leak.severity for leak in found] == ["error"]
            assert source.speaker in found[0].speakers
            assert kind == "same speaker" or clip.clip_id in found[0].clips
            with pytest.raises(LeakError, match="split 'speaker' leaks: "):
                splits.require_no_leak(split)
        assert splits.audit(self.planted(parts[1], lone)) == []

    def test_two_copies_of_an_absent_source_in_two_parts(self) -> None:
        split = self.planted("train", a_clip("ravdess/copy1", "x", source_sha256="absent"))
        split = replace(split, test=(*split.test, a_clip("ravdess/copy2", "y", source_sha256="absent")))
        assert [leak.kind for leak in splits.audit(split)] == ["augmented copy"]

    def test_a_clip_twice_in_one_part(self) -> None:
        clip = six_actors().train[0]
        (leak,) = splits.audit(self.planted("train", clip))
        assert leak.message == f"{clip.clip_id} is listed 2 times, in train and train"

    def test_a_shared_speaker_is_a_notice_unless_disjoint_was_asked_for(self) -> None:
        split = splits.make(speech(6), "stratified")
        assert {leak.severity for leak in splits.audit(split)} == {"notice"}
        assert len(splits.audit(split)) == 3
        splits.require_no_leak(split)
        assert {leak.severity for leak in splits.audit(replace(split, speaker_disjoint=True))} == {"error"}

    def test_validation_by_clip_does_not_excuse_a_tested_speaker(self) -> None:
        split = splits.make(speech(6), "stratified")
        severities = [
            leak.severity for leak in splits.audit(replace(split, speaker_disjoint=True, validation_by_clip=True))
        ]
        assert severities == ["error", "error", "notice"]

    def test_a_circle_of_copies_ends(self) -> None:
        one = a_clip("own/1", "a", sha256="x", source_sha256="y")
        two = a_clip("own/2", "b", sha256="y", source_sha256="x")
        split = splits.Split(name="own", train=(one,), validation=(), test=(two,), speaker_disjoint=True)
        assert isinstance(splits.audit(split), list)
