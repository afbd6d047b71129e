"""How a run hears its clips: whole, or in windows of a length of their own whose answers are averaged."""

import numpy as np
import pytest
import torch

from emogram.errors import ConfigurationError
from emogram.recognition.recognizer import Windows
from emogram.training import outcome
from emogram.training.building import build_classifier
from emogram.training.cache import AudioCache
from emogram.training.configuration import validate
from emogram.training.material import prepare
from tests.training import runs


def test_windows_at_test_have_a_length_of_their_own(material: runs.Material) -> None:
    given = material.configuration("audio.test_s=0.6")
    made = prepare(given, material.clips())
    classifier = build_classifier(given, len(made.emotions)).eval()
    info = outcome.describe_model(given, made, classifier)
    assert (info.clip_s, info.window_s) == (0.5, 0.6)
    cache = AudioCache(material.cache, runs.RATE)
    logits, clip_of = outcome._listen(classifier, made, "test", cache, info)
    answers = outcome._average(logits, clip_of, 1.0)
    several = 0
    for clip, answer in zip(made.split.test, answers, strict=True):
        windows = list(Windows(info).cut([cache(clip)]))
        several += len(windows) > 1
        with torch.inference_mode():
            parts = [classifier(torch.from_numpy(window)[None]).softmax(dim=1).numpy()[0] for window in windows]
        np.testing.assert_allclose(answer, np.mean(parts, axis=0), atol=1e-5)
    assert several > 3


def test_without_it_whole_clips_are_heard(material: runs.Material) -> None:
    given = material.configuration()
    made = prepare(given, material.clips())
    assert outcome.describe_model(given, made, build_classifier(given, len(made.emotions))).window_s == 10.0


@pytest.mark.parametrize("value", [0.4, 61])
def test_a_length_that_no_model_file_can_state_is_refused(value: float) -> None:
    with pytest.raises(ConfigurationError, match=rf"audio\.test_s={value}"):
        validate({"audio": {"test_s": value}})
