"""No leak that the audit does not find."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emogram import splits
from emogram.corpora.clip import Clip
from emogram.errors import LeakError
from tests.splits.clips import a_clip, six_actors, speech


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
