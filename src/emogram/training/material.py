"""What a run learns from: clips gathered from corpora, split without leaks, and the emotions among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emogram import corpora, splits
from emogram.corpora.clip import Clip
from emogram.emotions import ordered
from emogram.errors import AudioError, ConfigurationError
from emogram.splits import Split
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration, key
from emogram.training.data import ClipDataset

RESULTS_VERSION = 4
"""Raised whenever the code changes what a configuration gives, so that no old run passes for a new one."""

_STATISTICS_CLIPS = 400


@dataclass(frozen=True)
class Material:
    """What a run learns from.

    Attributes:
        split: the clips in their parts.
        emotions: that the network tells apart, in canonical order.
        allowed: the emotions that each corpus can have.
    """

    split: Split
    emotions: tuple[str, ...]
    allowed: dict[str, frozenset[str]]

    def rows(self) -> list[tuple[Clip, str]]:
        """Every clip with its part."""
        return [(clip, part) for part, clips in self.split.parts().items() for clip in clips]

    def measured(self) -> tuple[Clip, ...]:
        """Clips of the training part, taken evenly, on which statistics are measured."""
        clips = self.split.train
        return tuple(clips[:: max(1, len(clips) // _STATISTICS_CLIPS)])

    def identity(self, configuration: Configuration) -> str:
        """The key of a run of this configuration on this material."""
        rows = [(clip.clip_id, clip.sha256, part) for clip, part in self.rows()]
        return key(configuration, rows, str(RESULTS_VERSION))

    def dataset(
        self,
        part: str,
        cache: AudioCache,
        *,
        augmented_by: Configuration | None = None,
        indices: Sequence[int] | None = None,
    ) -> ClipDataset:
        """The clips of one part: whole and as they are, or augmented and cropped as a configuration says.

        Args:
            part: of the split.
            cache: gives waves.
            augmented_by: the configuration, or None for clips as they are.
            indices: of the clips of the part to take; all where None.
        """
        clips = self.split.parts()[part]
        chosen = clips if indices is None else [clips[index] for index in indices]
        settings: dict[str, Any] = {"seed": 0}
        if augmented_by is not None:
            settings = {
                "seed": augmented_by.seed,
                "augmentation": augmented_by.augmentation.waveform,
                "crop_s": augmented_by.audio.clip_s,
            }
        return ClipDataset(chosen, cache, emotions=self.emotions, allowed=self.allowed, **settings)


def gather(
    configuration: Configuration,
    *,
    progress: Callable[[int, int], None] | None = None,
    on_unreadable: Callable[[AudioError], None] | None = None,
) -> list[Clip]:
    """All clips of the configured corpora; a value that is a ``.csv`` manifest is read instead of scanned.

    Args:
        configuration: names the corpora.
        progress: called after each file.
        on_unreadable: called for each clip that cannot be decoded, which is then left out. Where not given, the first
            such clip is raised.

    Raises:
        ConfigurationError: no corpus is configured.
        CorpusError: a corpus is not where it is said to be.
        AudioError: a clip cannot be decoded.
    """
    if not configuration.corpora:
        raise ConfigurationError("corpora: none given; name one, for example --corpus ravdess-speech=PATH")
    return corpora.scan_all(configuration.corpora.items(), progress=progress, on_unreadable=on_unreadable)


def prepare(configuration: Configuration, clips: Sequence[Clip]) -> Material:
    """Split the clips, and make sure that nothing leaks.

    Raises:
        SplitError: the split cannot be made.
        LeakError: a part is not independent of another.
    """
    chosen = configuration.split
    split = splits.make(clips, chosen.name, fold=chosen.fold, folds=chosen.folds, seed=chosen.seed)
    splits.require_no_leak(split)
    used = [clip for part in split.parts().values() for clip in part]
    emotions = ordered(clip.emotion for clip in used)
    allowed = {
        corpus: frozenset(clip.emotion for clip in used if clip.corpus == corpus)
        for corpus in {clip.corpus for clip in used}
    }
    return Material(split, emotions, allowed)
