"""A model put to the test: which clips count, which are left out, which cannot be used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import emogram
from emogram.corpora import Clip
from emogram.errors import CorpusError, ModelError
from emogram.evaluation.model import predict_clips
from tests.recognition.small_models import LABELS, content

RATE = 16_000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content())
    return path


def clip(folder: Path, name: str, emotion: str, level: float = 0.1) -> Clip:
    path = folder / f"{name}.wav"
    soundfile.write(path, np.random.default_rng(len(name)).normal(0, level, RATE // 2), RATE)
    return Clip(clip_id=name, path=str(path), corpus="own", speaker=f"own-{name}", emotion=emotion, raw_label=emotion)


def test_the_answers_are_those_of_the_recogniser(model: Path, tmp_path: Path) -> None:
    clips = [clip(tmp_path, "a", "sad", 0.3), clip(tmp_path, "bb", "happy"), clip(tmp_path, "ccc", "sad", 0.01)]
    answers = predict_clips(model, clips)
    assert (answers.unusable, answers.strange, answers.learnt) == ((), (), ())
    predictions = answers.predictions
    assert predictions.clip_ids == ("a", "bb", "ccc")
    assert predictions.emotions == LABELS
    assert [LABELS[place] for place in predictions.truth] == ["sad", "happy", "sad"]
    recognizer = emogram.load(model)
    for each, row in zip(clips, predictions.probabilities, strict=True):
        np.testing.assert_allclose(row, list(recognizer.predict(each.path).probabilities.values()), atol=1e-7)


def test_clips_of_an_emotion_that_it_was_never_taught_are_left_out(model: Path, tmp_path: Path) -> None:
    clips = [clip(tmp_path, "a", "angry"), clip(tmp_path, "bb", "sad"), clip(tmp_path, "ccc", "boredom")]
    answers = predict_clips(model, clips)
    assert answers.strange == (clips[0], clips[2])
    assert answers.predictions.clip_ids == ("bb",)


def test_clips_that_cannot_be_used_are_told_with_their_errors(model: Path, tmp_path: Path) -> None:
    clips = [clip(tmp_path, "a", "sad", 0.0), clip(tmp_path, "bb", "sad"), clip(tmp_path, "ccc", "sad")]
    Path(clips[2].path).write_bytes(b"no audio")
    answers = predict_clips(model, clips)
    assert answers.predictions.clip_ids == ("bb",)
    assert [error.source for error in answers.unusable] == [clips[0].path, clips[2].path]


def test_without_a_clip_left_the_reason_is_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"tiny\.onnx: no clips to test it on"):
        predict_clips(model, [])
    with pytest.raises(CorpusError) as refusal:
        predict_clips(model, [clip(tmp_path, "a", "angry"), clip(tmp_path, "bb", "boredom")])
    assert f"{model}: was taught neutral, happy, sad, and the 2 clips have only angry, boredom" in str(refusal.value)
    with pytest.raises(CorpusError, match=r"none of 1 clips can be used; the first: .*ccc\.wav: is silent"):
        predict_clips(model, [clip(tmp_path, "ccc", "sad", 0.0)])


def test_a_bad_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"junk")
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        predict_clips(tmp_path / "bad.onnx", [clip(tmp_path, "a", "sad")])


def test_a_corpus_that_it_learnt_from_is_told(model: Path, tmp_path: Path) -> None:
    clips = [clip(tmp_path, "a", "sad"), replace(clip(tmp_path, "bb", "sad"), corpus="synthetic")]
    assert predict_clips(model, clips).learnt == ("synthetic",)
