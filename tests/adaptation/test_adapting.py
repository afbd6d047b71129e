"""Adapting a bundled model to voices that it never heard: better on other speakers, honest about what limits that."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram.adaptation import Adaptation, adapt
from emogram.corpora import Clip, scan
from emogram.errors import ConfigurationError, LeakError, ModelError
from emogram.evaluation import fit_temperature
from emogram.recognition import load
from tests.recognition import small_models


@pytest.fixture(scope="module")
def made(voices: list[Clip]) -> Adaptation:
    return adapt(voices, "base", name="own", counts=(1, 4))


def accuracy(made: Adaptation) -> float:
    return float((made.after.predicted == made.after.truth).mean())


def test_it_is_better_on_speakers_that_it_was_not_fitted_to(made: Adaptation, voices: list[Clip]) -> None:
    assert made.speaker_disjoint
    assert made.new == made.notes == ()
    comparison = made.compare()
    assert comparison is not None
    assert comparison.verdict == "better"
    assert comparison.sentence.startswith("The adapted model is better than the model as it was: accuracy ")
    assert accuracy(made) > 0.7
    assert len(made.after) == len(voices)


def test_more_clips_are_worth_more(made: Adaptation) -> None:
    assert list(made.curve) == [1, 4]
    few, _ = (float((each.predicted == each.truth).mean()) for each in made.curve.values())
    assert few < accuracy(made)


def test_the_file_is_a_model_like_any_other(made: Adaptation, voices: list[Clip], tmp_path: Path) -> None:
    made.save(tmp_path / "own.onnx")
    recognizer = load(tmp_path / "own.onnx")
    assert recognizer.info == made.info
    assert recognizer.emotions == ("neutral", "happy", "sad", "angry")
    assert recognizer.info.training_corpora == tuple(sorted({*load("base").info.training_corpora, "synthetic"}))
    assert recognizer.info.card.startswith("own: base, its last layer adapted to ")
    assert recognizer.info.licence == load("base").info.licence
    right = [recognizer.predict(clip.path).emotion == clip.emotion for clip in voices[::5]]
    assert np.mean(right) > 0.9


def test_noise_is_heard_in_fitting(made: Adaptation, voices: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emogram.adaptation.adapting._SNR_DB", (60.0, 60.0))
    quiet = adapt(voices, "base")
    assert np.abs(quiet.after.probabilities - made.after.probabilities).max() > 0.01


def test_silent_and_long_clips_do_no_harm(voices: list[Clip], tmp_path: Path) -> None:
    odd = []
    for name, wave in {"silent": np.zeros(16_000), "long": np.random.default_rng(0).normal(0, 0.1, 400_000)}.items():
        soundfile.write(tmp_path / f"{name}.wav", wave, 16_000)
        odd.append(replace(voices[0], clip_id=f"own/{name}", path=str(tmp_path / f"{name}.wav"), sha256=""))
    made = adapt([*odd, *voices], "base")
    assert len(made.after) == len(voices) + 2
    assert accuracy(made) > 0.65


def test_names_of_files_may_be_no_utf_8(voices: list[Clip], made: Adaptation) -> None:
    named = [replace(clip, clip_id=f"{clip.clip_id}\udcfc") for clip in voices]
    assert len(adapt(named, "base").after) == len(made.after)


def test_an_adapted_model_can_be_adapted(made: Adaptation, voices: list[Clip]) -> None:
    again = adapt([clip for clip in voices if clip.emotion in {"happy", "sad"}], made.content)
    assert again.info.labels == ("happy", "sad")
    assert accuracy(again) > 0.9


def test_new_emotions_are_learnt(voices: list[Clip]) -> None:
    renamed = [replace(clip, emotion="smug") if clip.emotion == "happy" else clip for clip in voices]
    made = adapt(renamed, "base")
    assert made.new == ("smug",)
    assert made.info.labels == ("neutral", "sad", "angry", "smug")
    smug = made.after.truth == 3
    assert (made.after.predicted[smug] == 3).mean() > 0.6
    assert made.before is not None
    assert not made.before.probabilities[:, 3].any()


def test_emotions_of_which_none_was_known_are_compared_with_nothing(voices: list[Clip]) -> None:
    names = {"happy": "bright", "sad": "dull"}
    renamed = [replace(clip, emotion=names[clip.emotion]) for clip in voices if clip.emotion in names]
    made = adapt(renamed, "base")
    assert (made.before, made.compare()) == (None, None)
    assert accuracy(made) > 0.8


@pytest.mark.parametrize("known", [True, False])
def test_one_speaker_is_tested_by_clip_and_told_so(voices: list[Clip], known: bool) -> None:
    first = voices[0].speaker
    own = [replace(clip, speaker=first if known else "") for clip in voices if clip.speaker == first]
    made = adapt(own, "base")
    assert not made.speaker_disjoint
    why = "one speaker" if known else "speakers that are not known"
    assert made.notes == (f"the clips have {why}: the scores are those of voices that the model was adapted to",)


def test_of_two_speakers_it_is_told_how_little_each_was_learnt_from(voices: list[Clip]) -> None:
    two = sorted({clip.speaker for clip in voices})[:2]
    made = adapt([clip for clip in voices if clip.speaker in two], "base")
    assert made.speaker_disjoint
    assert made.notes == ("the clips have two speakers: each is answered by a layer fitted to the other alone",)


@pytest.mark.parametrize("speakers", [2, 3])
def test_the_fewest_clips_are_enough_whoever_speaks_them(voices: list[Clip], speakers: int) -> None:
    named = sorted({clip.speaker for clip in voices})[:speakers]
    few = [
        next(clip for clip in voices if (clip.speaker, clip.emotion) == (speaker, emotion))
        for speaker in named
        for emotion in ("angry", "sad")
    ]
    made = adapt(few, "base")
    assert made.speaker_disjoint
    assert len(made.after) == 2 * speakers


def test_speakers_who_share_no_emotion_are_adapted_to(voices: list[Clip]) -> None:
    first, second = sorted({clip.speaker for clip in voices})[:2]
    apart = [clip for clip in voices if (clip.speaker, clip.emotion) in {(first, "angry"), (second, "sad")}]
    assert adapt(apart, "base").info.labels == ("sad", "angry")


def test_no_layer_is_fitted_to_the_speaker_that_it_is_tested_on(
    voices: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels of one speaker are shuffled: nobody else's answers hang on them but those of the other speakers' layers."""
    victim = voices[0].speaker
    plain = adapt(voices, "base").after
    rng = np.random.default_rng(0)
    emotions = sorted({clip.emotion for clip in voices})
    wrong = [replace(clip, emotion=str(rng.choice(emotions))) if clip.speaker == victim else clip for clip in voices]
    shuffled = adapt(wrong, "base").after
    own = np.array([clip.speaker == victim for clip in voices])
    # The temperature is shared, which moves no order of emotions.
    np.testing.assert_array_equal(plain.predicted[own], shuffled.predicted[own])


def test_a_recording_under_two_speakers_is_refused(voices: list[Clip]) -> None:
    other = next(clip.speaker for clip in voices if clip.speaker != voices[0].speaker)
    copied = replace(voices[0], clip_id="own/copy", speaker=other)
    with pytest.raises(LeakError, match=r"identical audio: .* in train, own/copy in test"):
        adapt([*voices, copied], "base")


def test_no_part_has_a_say_in_its_own_temperature(voices: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    """The temperature of each part is fitted to all others; the one that ships, last, to all."""
    asked: list[int] = []

    def counted(logits: np.ndarray, truth: np.ndarray) -> float:
        asked.append(len(truth))
        return fit_temperature(logits, truth)

    monkeypatch.setattr("emogram.adaptation.adapting.fit_temperature", counted)
    adapt(voices, "base")
    assert asked[-1] == len(voices)
    assert sum(len(voices) - count for count in asked[:-1]) == len(voices)


def test_a_corpus_that_the_model_learnt_from_is_told(voices: list[Clip]) -> None:
    made = adapt([replace(clip, corpus="ravdess") for clip in voices], "base")
    assert made.notes == ("base learnt from ravdess as a whole: its scores there, before and after, are too high",)


MISTAKES: list[tuple[set[str], dict[str, object], str]] = [
    ({"happy"}, {}, "clips: hold 1 emotion; to adapt takes two or more"),
    ({"happy", "sad"}, {"prior": 0}, "prior: 0 is not above 0; the usual one is 0.004"),
    ({"happy", "sad"}, {"counts": (0, 1)}, "counts: 0 is not 1 or more"),
]


@pytest.mark.parametrize(("emotions", "arguments", "message"), MISTAKES)
def test_mistakes_are_told(voices: list[Clip], emotions: set[str], arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        adapt([clip for clip in voices if clip.emotion in emotions], "base", **arguments)  # type: ignore[arg-type]


def test_an_emotion_with_one_clip_is_told(voices: list[Clip]) -> None:
    happy = next(clip for clip in voices if clip.emotion == "happy")
    with pytest.raises(ConfigurationError, match="clips: 1 of 'happy'; to learn and to test take 2 of each emotion"):
        adapt([happy, *(clip for clip in voices if clip.emotion == "sad")], "base")


def test_a_model_of_others_is_refused(voices: list[Clip]) -> None:
    with pytest.raises(ModelError, match="does not end in a linear layer"):
        adapt(voices, small_models.content())


def test_german_of_speakers_that_were_never_heard(emogram_data: Path) -> None:
    """EmoDB, half of its speakers, each answered by a layer that was fitted to the others."""
    by_speaker: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in scan("emodb", emogram_data / "emodb"):
        by_speaker[clip.speaker].append(clip)
    made = adapt([clip for speaker in sorted(by_speaker)[:5] for clip in by_speaker[speaker]], "base")
    assert made.new == ("boredom",)
    comparison = made.compare()
    assert comparison is not None
    assert comparison.verdict == "better"
    assert accuracy(made) > 0.65
