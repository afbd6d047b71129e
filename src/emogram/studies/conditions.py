"""Conditions that a trained model is tested under besides the clean test part: noise, rooms, excerpts, other corpora.

A condition is evaluated after training, on the network as it was kept, so that it belongs to no run's identity: any study can ask
for another condition of a run that is done. What is random about it follows from the clip, so that every model hears the
same noise and comparisons stay paired.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from scipy.signal import butter, sosfilt

from emogram.audio import SILENCE_PEAK
from emogram.augmentation.recordings import Recordings, without_place
from emogram.augmentation.room import decaying, reverberant
from emogram.augmentation.waveform import looped
from emogram.corpora.clip import Clip
from emogram.errors import CorpusError
from emogram.evaluation.predictions import Predictions
from emogram.recognition.recognizer import Windows, load
from emogram.sounds import coloured, mixed, power
from emogram.training.cache import AudioCache

CLEAN = "clean"
"""The test part as it is, which every run has."""

Wave = npt.NDArray[np.float32]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Clean(_Settings):
    """The clips as they are."""

    label: str = CLEAN

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:  # noqa: ARG002
        """The wave [T] as it is."""
        return wave


class Noise(_Settings):
    """White noise at a signal-to-noise ratio over the whole clip."""

    name: Literal["noise"] = "noise"
    snr_db: float = Field(10.0, ge=-20, le=60, description="signal-to-noise ratio")

    @property
    def label(self) -> str:
        """In tables: ``noise 10 dB``."""
        return f"noise {self.snr_db:g} dB"

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:
        """The noisy wave [T]; the noise follows from the clip."""
        rng = np.random.default_rng([*clip.clip_id.encode(errors="surrogateescape")])
        return mixed(wave, coloured(len(wave), "white", rng, sample_rate=sample_rate), snr_db=self.snr_db)


class Background(_Settings):
    """An excerpt of a recording from a folder at a signal-to-noise ratio over the whole clip, repeated where too short."""

    name: Literal["background"] = "background"
    snr_db: float = Field(10.0, ge=-20, le=60, description="signal-to-noise ratio")
    folder: Path = Field(description="with recordings, searched to its depth")
    recordings: str = Field("*", description="pattern of the names of those that sound, as 5-*")

    @property
    def label(self) -> str:
        """In tables: ``background 10 dB``."""
        return f"background {self.snr_db:g} dB"

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:
        """The wave [T] with the background; recording and excerpt follow from the clip.

        Raises:
            ConfigurationError: the folder holds no such recording.
        """
        sounds = _recordings(sample_rate)
        names = sounds.names(self.folder, self.recordings)
        rng = np.random.default_rng([*clip.clip_id.encode(errors="surrogateescape")])
        for _ in names:  # a silent recording is no background
            sound = sounds.wave(self.folder, names[int(rng.integers(len(names)))])
            excerpt = looped(sound, len(wave), float(rng.random()))
            if power(excerpt) >= SILENCE_PEAK**2:
                break
        return mixed(wave, excerpt, snr_db=self.snr_db)


@cache
def _recordings(sample_rate: int) -> Recordings:
    return Recordings(sample_rate)


class Telephone(_Settings):
    """The band of a telephone call: fourth-order Butterworth filters at its edges (ITU-T G.712: 300 to 3400 Hz)."""

    name: Literal["telephone"] = "telephone"
    low_hz: float = Field(300.0, ge=10, le=2000, description="lower edge")
    high_hz: float = Field(3400.0, ge=2100, le=20_000, description="upper edge")

    @property
    def label(self) -> str:
        """In tables: ``telephone``, with the edges where they are not the usual ones."""
        usual = (self.low_hz, self.high_hz) == (300.0, 3400.0)
        return "telephone" if usual else f"telephone {self.low_hz:g} to {self.high_hz:g} Hz"

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:  # noqa: ARG002
        """The wave [T] inside the band; an upper edge beyond what the rate can hold changes nothing there."""
        inside = self.high_hz < 0.49 * sample_rate
        edges = (self.low_hz, self.high_hz) if inside else self.low_hz
        sections = butter(4, edges, "bandpass" if inside else "highpass", fs=sample_rate, output="sos")
        return np.asarray(sosfilt(sections, wave), dtype=np.float32)


class Room(_Settings):
    """The sound of a room that is made: an impulse, and noise behind it that decays; another one for every clip."""

    name: Literal["room"] = "room"
    rt60_s: float = Field(0.5, ge=0.05, le=5, description="time to decay by 60 dB, s")
    drr_db: float = Field(0.0, ge=-20, le=40, description="direct to reverberant energy, dB")

    @property
    def label(self) -> str:
        """In tables: ``room 0.5 s``, with the ratio of energies where it is not 0 dB."""
        return f"room {self.rt60_s:g} s" + (f" {self.drr_db:g} dB" if self.drr_db else "")

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:
        """The wave [T] in the room; the room follows from the clip."""
        rng = np.random.default_rng([*clip.clip_id.encode(errors="surrogateescape")])
        return reverberant(wave, decaying(self.rt60_s, self.drr_db, rng, sample_rate=sample_rate))


class Excerpt(_Settings):
    """The middle of each clip; clips that are no longer than that are whole."""

    name: Literal["excerpt"] = "excerpt"
    length_s: float = Field(ge=0.1, le=600, description="how much is heard, s")

    @property
    def label(self) -> str:
        """In tables: ``middle 1 s``."""
        return f"middle {self.length_s:g} s"

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:  # noqa: ARG002
        """The middle [T] of the wave."""
        length = min(len(wave), round(self.length_s * sample_rate))
        start = (len(wave) - length) // 2
        return wave[start : start + length]


class OtherCorpus(_Settings):
    """All clips of another corpus whose emotions the model was taught."""

    name: Literal["corpus"] = "corpus"
    corpus: str = Field(description="name of the corpus, as given with --corpus")

    @property
    def label(self) -> str:
        """In tables: ``corpus emodb``."""
        return f"corpus {self.corpus}"

    def apply(self, wave: Wave, clip: Clip, sample_rate: int) -> Wave:  # noqa: ARG002
        """The wave as it is."""
        return wave


Condition = Annotated[Noise | Background | Telephone | Room | Excerpt | OtherCorpus, Field(discriminator="name")]


def stem(condition: Condition, clips: Sequence[Clip] = ()) -> str:
    """Name of the file that holds a run's predictions under a condition; other settings or clips are another file."""
    settings = json.dumps(without_place(condition.model_dump(mode="json")))
    content = settings + "".join(f"{clip.clip_id} {clip.sha256}" for clip in clips)
    return f"{condition.name}-{hashlib.sha256(content.encode(errors='surrogateescape')).hexdigest()[:12]}"


class Hearer(Protocol):
    """What answers: a model file, or the network of a run."""

    @property
    def emotions(self) -> tuple[str, ...]:
        """The K emotions that it tells apart."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    def probabilities(self, wave: Wave) -> npt.NDArray[np.float64]:
        """Probabilities [K] of a whole wave [T]."""


class ModelFile:
    """A model file as a hearer.

    Args:
        path: the ONNX file of a run.
        threads: of the processor.

    Raises:
        EmogramError: it cannot be read.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._recognizer = load(str(path), threads=threads)
        self.emotions = self._recognizer.emotions
        self.sample_rate = self._recognizer.info.sample_rate

    def probabilities(self, wave: Wave) -> npt.NDArray[np.float64]:
        """Probabilities [K]: the mean over the windows that the recogniser would cut."""
        windows = [self._recognizer.probabilities(window) for window in Windows(self._recognizer.info).cut([wave])]
        return np.array([math.fsum(column) / len(windows) for column in zip(*windows, strict=True)])


def predict(hearer: Hearer, clips: Sequence[Clip], condition: Condition | Clean, cache_folder: Path) -> Predictions:
    """What a trained network answers for clips under a condition.

    Clips with an emotion that it was never taught are left out.

    Args:
        hearer: answers.
        clips: of the test part, or of the other corpus.
        condition: done to each wave.
        cache_folder: where decoded audio lies.

    Raises:
        CorpusError: it was taught none of the emotions.
        EmogramError: a clip cannot be read.
    """
    known = [clip for clip in clips if clip.emotion in hearer.emotions]
    if not known:
        raise CorpusError(f"{condition.label}: no clip has an emotion of {', '.join(hearer.emotions)}")
    cache = AudioCache(cache_folder, hearer.sample_rate)
    rows = [hearer.probabilities(condition.apply(cache(clip), clip, hearer.sample_rate)) for clip in known]
    return Predictions.from_clips(known, np.stack(rows), hearer.emotions)
