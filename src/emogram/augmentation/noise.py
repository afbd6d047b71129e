"""Sounds added to a wave at a signal-to-noise ratio: coloured noise, recorded backgrounds, babble of other speakers."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from emogram.audio import SILENCE_PEAK
from emogram.augmentation.recordings import Recordings
from emogram.augmentation.settings import LowToHigh, Part, SnrRange, seed, within
from emogram.augmentation.waveform import Scene, Wave, WaveformAugmentation, WaveformDraw, looped
from emogram.errors import ConfigurationError
from emogram.sounds import Colour, coloured, mixed, power


class NoiseDraw(WaveformDraw):
    """Noise of one colour; its samples follow from the seed."""

    name: Literal["noise"] = "noise"
    colour: Colour
    snr_db: float
    seed: int

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        rng = np.random.default_rng(self.seed)
        return mixed(wave, coloured(len(wave), self.colour, rng, sample_rate=scene.sample_rate), snr_db=self.snr_db)


class NoiseSettings(WaveformAugmentation):
    """White, pink or brown noise at a signal-to-noise ratio."""

    draws: ClassVar = NoiseDraw
    adds_sound: ClassVar = True

    name: Literal["noise"] = "noise"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens")
    colours: tuple[Colour, ...] = Field(
        ("white", "pink", "brown"), min_length=1, max_length=3, description="one of which is drawn"
    )
    snr_db: SnrRange = Field((10.0, 40.0), description="signal-to-noise ratio over the clip, dB, low and high")

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> NoiseDraw:
        colour = self.colours[int(rng.integers(len(self.colours)))]
        return NoiseDraw(colour=colour, snr_db=within(rng, self.snr_db), seed=seed(rng))


class BackgroundDraw(WaveformDraw):
    """An excerpt of one recording, repeated where it is too short."""

    name: Literal["background"] = "background"
    folder: Path
    recording: str
    start: Part
    snr_db: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        sound = scene.recordings.wave(self.folder, self.recording)
        return mixed(wave, looped(sound, len(wave), self.start), snr_db=self.snr_db)


class BackgroundSettings(WaveformAugmentation):
    """A random excerpt of a recording from a folder of one's own, at a signal-to-noise ratio."""

    draws: ClassVar = BackgroundDraw
    adds_sound: ClassVar = True

    name: Literal["background"] = "background"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens")
    folder: Path | None = Field(None, description="any folder with audio files, searched to its depth; must be given")
    recordings: str = Field("*", description="pattern of the names of those that sound, as [1-3]-*; others may test")
    snr_db: SnrRange = Field((5.0, 30.0), description="signal-to-noise ratio over the clip, dB, low and high")

    @override
    def check(self, recordings: Recordings) -> None:
        self.sounding(recordings)

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> BackgroundDraw:
        folder, names = self.sounding(scene.recordings)
        name = names[int(rng.integers(len(names)))]
        start, snr_db = float(rng.random()), within(rng, self.snr_db)
        return BackgroundDraw(folder=folder, recording=name, start=start, snr_db=snr_db)

    def sounding(self, recordings: Recordings) -> tuple[Path, tuple[str, ...]]:
        """The folder, and the recordings in it of which one sounds. Raises `ConfigurationError` where there are none."""
        if self.folder is None:
            raise ConfigurationError("augmentation background: folder: none given; give a folder with recordings")
        return self.folder, recordings.names(self.folder, self.recordings)


class BabbleDraw(WaveformDraw):
    """Clips of other speakers, by their positions in the training part, all equally loud."""

    name: Literal["babble"] = "babble"
    voices: tuple[int, ...]
    starts: tuple[Part, ...]
    snr_db: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        companions = scene.require_companions(self.name)
        babble = np.zeros_like(wave)
        for voice, start in zip(self.voices, self.starts, strict=True):
            other = companions.wave(voice)
            if len(other) and (loudness := power(other)) >= SILENCE_PEAK**2:
                babble += looped(other, len(wave), start) / np.float32(np.sqrt(loudness))
        return mixed(wave, babble, snr_db=self.snr_db)


_Voices = Annotated[int, Field(ge=1, le=50)]


class BabbleSettings(WaveformAugmentation):
    """Several clips of other speakers of the training part at once, at a signal-to-noise ratio.

    Three to seven voices as in Snyder et al. 2018, X-vectors: robust DNN embeddings for speaker recognition.
    """

    draws: ClassVar = BabbleDraw
    adds_sound: ClassVar = True

    name: Literal["babble"] = "babble"
    probability: float = Field(0.3, ge=0, le=1, description="chance that it happens")
    voices: Annotated[tuple[_Voices, _Voices], LowToHigh] = Field((3, 7), description="how many, fewest and most")
    snr_db: SnrRange = Field((13.0, 30.0), description="signal-to-noise ratio over the clip, dB, low and high")

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> BabbleDraw | None:
        others = scene.require_companions(self.name).of_other_speakers(scene.index)
        count = min(int(rng.integers(self.voices[0], self.voices[1] + 1)), len(others))
        if not count:
            return None
        voices = rng.choice(others, count, replace=False).tolist()
        return BabbleDraw(voices=voices, starts=rng.random(count).tolist(), snr_db=within(rng, self.snr_db))
