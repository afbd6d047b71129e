"""What the threads of the desk do with a recording: decode it under the limits, then recognise."""

import dataclasses
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from emogram import audio
from emogram.errors import AudioError, TooLongError
from emogram.recognition import Prediction, Recognizer, Timeline
from emogram.recognition.explanation import explain
from emogram.server.uploads import Upload
from emogram.server.work import AbandonedError, Work

_BLOCK_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a recording.

    Attributes:
        prediction: of the model.
        explanation: of the prediction as JSON has it, or None.
    """

    prediction: Prediction
    explanation: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields of the prediction, and the explanation if there is one."""
        fields = self.prediction.to_dict()
        return fields if self.explanation is None else fields | {"explanation": self.explanation}


def prediction(
    recognizer: Recognizer, upload: Upload, max_audio_s: float, *, explained: bool = False
) -> Work[Answer | AudioError]:
    """The work of recognising a recording; its error in place of an answer where it cannot be used."""

    def work(abandoned: threading.Event) -> Answer | AudioError:
        try:
            wave = decode(recognizer, upload, max_audio_s, abandoned, allow_silent=False)
            answer = dataclasses.replace(recognizer.predict(wave), file=upload.name)
            told = dataclasses.replace(explain(recognizer, wave), file=upload.name).to_dict() if explained else None
        except AudioError as error:
            return error
        return Answer(answer, told)

    return work


def timeline(recognizer: Recognizer, upload: Upload, max_audio_s: float) -> Work[Timeline | AudioError]:
    """The work of a timeline; its error in place of it where the recording cannot be used."""

    def work(abandoned: threading.Event) -> Timeline | AudioError:
        try:
            wave = decode(recognizer, upload, max_audio_s, abandoned, allow_silent=True)
            # One thread: other requests have the others.
            return dataclasses.replace(recognizer.timeline(wave, workers=1), file=upload.name)
        except AudioError as error:
            return error

    return work


def decode(
    recognizer: Recognizer, upload: Upload, max_audio_s: float, abandoned: threading.Event, *, allow_silent: bool
) -> audio.Wave:
    """The whole recording, [T] at the model's rate, given up as soon as nobody waits for it.

    A small file can hold much: a few megabytes of FLAC or Ogg are hours of silence in many channels.

    Raises:
        AudioError: it cannot be used; names the upload.
        AbandonedError: nobody waits for it.
    """
    try:
        blocks = []
        for block in audio.blocks(
            upload.data,
            recognizer.info.sample_rate,
            block_s=_BLOCK_S,
            max_duration_s=max_audio_s,
            allow_silent=allow_silent,
        ):
            if abandoned.is_set():
                raise AbandonedError
            blocks.append(block)
    except AudioError as error:
        remedy = "cut it into parts" if isinstance(error, TooLongError) else error.remedy
        raise AudioError(upload.name, error.problem, remedy) from None
    if not blocks:
        raise AudioError(upload.name, "is too short to hold a sample", "record it again")
    return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]
