"""Errors: one line each, and the same in another process."""

import copy
import pickle

import pytest

from emogram import errors
from emogram.errors import (
    AudioError,
    ConfigurationError,
    EmogramError,
    MissingExtraError,
    TooLongError,
    did_you_mean,
)

EXAMPLES = [
    AudioError("a.wav", "is silent", "record it again"),
    TooLongError("a.wav", "is longer than the 600 s allowed", "cut it into parts"),
    MissingExtraError("emogram train", "train"),
    *(
        kind("x: is wrong; mend it")
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, EmogramError)
        and kind not in {AudioError, TooLongError, MissingExtraError}
    ),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_a_journey_between_processes(error: EmogramError) -> None:
    for arrived in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        assert vars(arrived) == vars(error)
    assert "\n" not in str(error)


def test_the_parts_of_an_audio_error_are_kept() -> None:
    error = pickle.loads(pickle.dumps(AudioError("a.wav", "is silent", "record it again")))
    assert (error.source, error.problem, error.remedy) == ("a.wav", "is silent", "record it again")
    assert str(error) == "a.wav: is silent; record it again"


def test_a_missing_extra_says_how_to_get_it() -> None:
    error = MissingExtraError("emogram train", "train")
    assert str(error) == "emogram train needs the extra [train]; install it with: pip install 'emogram[train]'"


@pytest.mark.parametrize(
    ("given", "hint"), [("happ", ", did you mean 'happy'?"), ("HAPY", ", did you mean 'happy'?"), ("xyz", "")]
)
def test_the_nearest_name_is_suggested(given: str, hint: str) -> None:
    assert did_you_mean(given, ["happy", "sad"]) == hint


def test_every_error_is_an_emogram_error() -> None:
    assert issubclass(ConfigurationError, EmogramError)
    assert not issubclass(EmogramError, ValueError | OSError)
