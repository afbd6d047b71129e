"""Augmentations of a wave [T] before its spectrogram: what they draw for, and what each of them is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from emogram.augmentation.recordings import Recordings, Wave
from emogram.augmentation.settings import Augmentation, Draw
from emogram.errors import ConfigurationError

__all__ = [
    "Companions",
    "Scene",
    "Wave",
    "WaveformAugmentation",
    "WaveformDraw",
    "fitted",
    "looped",
    "require_recordings",
]


class Companions:
    """The clips that may sound in one another: those of one training part, and of nothing else.

    Args:
        wave: gives the wave [T] of the clip at a position, at the scene's rate.
        speakers: of each clip; empty where unknown.
        emotions: of each clip.
        corpora: of each clip.
    """

    def __init__(
        self,
        wave: Callable[[int], Wave],
        *,
        speakers: Sequence[str],
        emotions: Sequence[str],
        corpora: Sequence[str],
    ) -> None:
        self.wave = wave
        self._speakers, self._emotions, self._corpora = (np.array(names) for names in (speakers, emotions, corpora))

    def of_other_speakers(self, index: int) -> npt.NDArray[np.intp]:
        """Positions of the clips of known speakers other than that of the clip at `index`."""
        return np.flatnonzero((self._speakers != self._speakers[index]) & (self._speakers != ""))

    def of_the_same_emotion(self, index: int) -> npt.NDArray[np.intp]:
        """Positions of the other clips of its corpus and emotion."""
        same = (self._emotions == self._emotions[index]) & (self._corpora == self._corpora[index])
        same[index] = False
        return np.flatnonzero(same)


@dataclass(frozen=True)
class Scene:
    """Where a clip is augmented.

    Attributes:
        sample_rate: Hz.
        recordings: gives noises and impulse responses from folders.
        companions: the clips of the training part, or None where there is one clip only.
        index: position of the clip among them.
    """

    sample_rate: int
    recordings: Recordings
    companions: Companions | None = None
    index: int = 0

    def at(self, index: int) -> "Scene":
        """The same for the clip at another position."""
        return replace(self, index=index)

    def require_companions(self, name: str) -> Companions:
        """The companions. Raises `ConfigurationError` where there are none."""
        if self.companions is None:
            raise ConfigurationError(
                f"augmentation {name}: needs the other clips of a training part; give it a corpus, or choose another"
            )
        return self.companions


class WaveformDraw(Draw):
    """What happens to one wave."""

    def apply(self, wave: Wave, scene: Scene) -> Wave:
        """The augmented wave; the input is left as it is. What has no samples stays so.

        Args:
            wave: [T], float32.
            scene: as it was drawn for.

        Returns:
            [T'], float32, at least one sample long.
        """
        if not len(wave):
            return wave.copy()
        return np.asarray(self.changed(wave, scene), np.float32)

    def changed(self, wave: Wave, scene: Scene) -> Wave:
        """As `apply`, of a wave with samples."""
        raise NotImplementedError


class WaveformAugmentation(Augmentation):
    """Settings of an augmentation of waves.

    Attributes:
        keeps_time: whether everything happens when it did, so that frames of the two waves can be compared.
        adds_sound: whether it is something beside the voice that is heard.
    """

    keeps_time: ClassVar[bool] = True
    adds_sound: ClassVar[bool] = False

    def draw(self, rng: np.random.Generator, scene: Scene, /) -> WaveformDraw | None:
        """What happens this time, None for nothing.

        Raises:
            ConfigurationError: it needs clips or recordings that the scene has not.
        """
        return self.drawn(rng, scene) if rng.random() < self.probability else None

    def drawn(self, rng: np.random.Generator, scene: Scene) -> WaveformDraw | None:
        """What happens when it happens; None where the scene has nothing to make it of."""
        raise NotImplementedError

    def check(self, recordings: Recordings) -> None:
        """Make sure that the recordings are there that it needs. Raises `ConfigurationError` otherwise."""


def require_recordings(chain: Sequence[WaveformAugmentation], sample_rate: int) -> None:
    """Make sure, before a run begins, that the folders are there that a chain takes recordings from.

    Raises:
        ConfigurationError: one is not, or is not given.
    """
    recordings = Recordings(sample_rate)
    for augmentation in chain:
        augmentation.check(recordings)


def fitted(wave: Wave, length: int) -> Wave:
    """The wave cut, or filled up with zeros, at its end."""
    return wave[:length] if len(wave) >= length else np.pad(wave, (0, length - len(wave)))


def looped(wave: Wave, length: int, start: float) -> Wave:
    """An excerpt of a length from a place between 0 and 1; a shorter wave is repeated from there on."""
    if len(wave) >= length:
        first = round((len(wave) - length) * start)
        return wave[first : first + length]
    return np.resize(np.roll(wave, -int(start * len(wave))), length)
