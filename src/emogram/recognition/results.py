"""What a recogniser answers: frozen, printable on a line, and convertible to what JSON has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emogram import audio
from emogram.recognition.checks import InputWarning, Problem


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model makes of one recording.

    Attributes:
        file: the recording, as it was given.
        emotion: the most probable one.
        probabilities: of every emotion the model knows, in the model's order; they sum to 1.
        confidence: the probability of `emotion`.
        duration_s: length of the recording.
        model: name of the model.
        uncertain: whether `confidence` lies below the model's threshold, or nobody speaks.
        warnings: what is wrong with the recording.
    """

    file: str
    emotion: str
    probabilities: dict[str, float]
    confidence: float
    duration_s: float
    model: str
    uncertain: bool = False
    warnings: tuple[InputWarning, ...] = ()

    @property
    def has_speech(self) -> bool:
        """Whether somebody speaks in the recording."""
        return all(warning.problem is not Problem.NO_SPEECH for warning in self.warnings)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {
            "file": self.file,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
            "confidence": self.confidence,
            "duration_s": self.duration_s,
            "model": self.model,
            "uncertain": self.uncertain,
            "warnings": [warning.to_dict() for warning in self.warnings],
        }

    def __str__(self) -> str:
        """One line: ``clip.wav: uncertain, perhaps happy 37% (surprised 18%, neutral 13%) [too quiet: …]``."""
        notes = f" [{'; '.join(map(str, self.warnings))}]" if self.warnings else ""
        return f"{audio.name_of(self.file)}: {_in_words(self.uncertain, self.probabilities)}{notes}"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a model makes of one window of a stream.

    Attributes:
        start_s: where the window begins, in seconds from the start of the stream.
        end_s: where it ends.
        emotion: the most probable one.
        probabilities: of every emotion the model knows, in the model's order.
        confidence: the probability of `emotion`.
        speech: the part of the window in which somebody speaks, 0 to 1.
        uncertain: whether `confidence` lies below the model's threshold, or nobody speaks.
    """

    start_s: float
    end_s: float
    emotion: str
    probabilities: dict[str, float]
    confidence: float
    speech: float
    uncertain: bool

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
            "confidence": self.confidence,
            "speech": self.speech,
            "uncertain": self.uncertain,
        }

    def __str__(self) -> str:
        """One line: ``2.0 to 5.0 s: happy 87% (surprised 8%, neutral 3%)``."""
        words = _in_words(self.uncertain, self.probabilities) if self.speech else "no speech"
        return f"{self.start_s:.1f} to {self.end_s:.1f} s: {words}"


def named(emotions: Sequence[str], probabilities: NDArray[np.floating]) -> tuple[str, dict[str, float], float]:
    """The most probable emotion, all probabilities [K] by name, and the largest."""
    best = int(probabilities.argmax())
    return emotions[best], dict(zip(emotions, probabilities.tolist(), strict=True)), float(probabilities[best])


def _in_words(uncertain: bool, probabilities: Mapping[str, float]) -> str:
    (emotion, confidence), *rest = sorted(probabilities.items(), key=lambda item: -item[1])
    others = ", ".join(f"{other} {probability:.0%}" for other, probability in rest[:2])
    return f"{'uncertain, perhaps ' if uncertain else ''}{emotion} {confidence:.0%} ({others})"
