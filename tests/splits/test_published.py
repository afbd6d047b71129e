"""Published protocols: the folds as they were published."""

from pathlib import Path

import pytest

from emogram import splits
from emogram.corpora import cremad, emodb, ravdess, savee, tess
from emogram.corpora.clip import Clip
from emogram.errors import SplitError
from tests.splits.clips import released, speakers, speech


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
        with pytest.raises(SplitError, match=r"needs speech of the corpus 'savee' .*; add that corpus, or choose"):
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
