"""Which clips a run has heard, so that no student learns from a teacher that knows its test speakers."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emogram.corpora.clip import Clip, read_manifest
from emogram.errors import ConfigurationError, LeakError
from emogram.splits.split import PARTS, recording, sources
from emogram.training import configuration
from emogram.training.origins import run_of

_MANIFEST, _CONFIGURATION = "manifest.csv", "configuration.yaml"
_MAX_NAMED = 3


@dataclass(frozen=True)
class Heard:
    """The clips of a run and of the runs that it started or learned from.

    Attributes:
        run: its folder.
        learned: clips of the training and validation parts of all of these runs.
        fitted: hashes of the recordings in the training parts of all of them.
        test: ids of the clips that it was tested on.
    """

    run: Path
    learned: tuple[Clip, ...]
    fitted: frozenset[str]
    test: frozenset[str]

    def require_none_of(self, clips: Sequence[Clip], field: str) -> None:
        """Refuse a teacher that has learned from, or was chosen by, a speaker or a recording of these test clips.

        Raises:
            LeakError: names the field, the run and the speakers.
        """
        strangers = {clip.speaker for clip in clips if clip.speaker}
        known = sorted(strangers.intersection(clip.speaker for clip in self.learned))
        if known:
            shown = ", ".join(known[:_MAX_NAMED]) + (" …" if len(known) > _MAX_NAMED else "")
            raise LeakError(
                f"{field}={self.run}: learned from {shown} of this run's test part; choose one trained without them"
            )
        source_of = sources([*clips, *self.learned])
        tested = {recording(clip, source_of): clip.clip_id for clip in clips}
        shared = [tested[hash_] for clip in self.learned if (hash_ := recording(clip, source_of)) in tested and hash_]
        if shared:
            raise LeakError(
                f"{field}={self.run}: learned from the audio of {shared[0]} of this run's test part; "
                "choose one trained without it"
            )


def heard(run: Path, field: str) -> Heard:
    """What a run has heard, by its manifest and those of the runs that it started or learned from itself.

    Raises:
        ConfigurationError: no run, or one that came from a run that is no longer where it was; names the field.
        CorpusError: a damaged manifest.
    """
    placed = [pair for each in _with_ancestors(run, field, ()) for pair in _placed(each, field)]
    source_of = sources(clip for clip, _ in placed)
    return Heard(
        run=run,
        learned=tuple(clip for clip, part in placed if part != "test"),
        fitted=frozenset(recording(clip, source_of) for clip, part in placed if part == "train"),
        test=frozenset(clip.clip_id for clip, part in _placed(run, field) if part == "test"),
    )


def inherited(settings: configuration.Configuration) -> list[Clip]:
    """The clips, each once, that the runs behind a configuration learned from: a model owes them as much as its own.

    Raises:
        ConfigurationError, CorpusError: as `heard`.
    """
    learned = (clip for run in _origins(settings) for clip in heard(run, "configuration").learned)
    return list({clip.clip_id: clip for clip in learned}.values())


def runs_of(predictions: Path) -> list[Path]:
    """The runs that made a file of predictions: the one in whose folder it lies, or the folds that were pooled there.

    Raises:
        ConfigurationError: it lies in no run.
    """
    folder = predictions.parent
    if (folder / _MANIFEST).exists():
        return [folder]
    folds = sorted(path.parent for path in folder.glob(f"fold-*/{_MANIFEST}"))
    if not folds:
        raise ConfigurationError(
            f"distillation.predictions={predictions}: lies in no run, so that nobody knows who its teacher has heard; "
            "give a file in the folder of its run"
        )
    return folds


def _placed(run: Path, field: str) -> Iterable[tuple[Clip, str]]:
    """Every clip of a run with its part."""
    path = run / _MANIFEST
    if not path.exists():
        raise ConfigurationError(
            f"{field}={run}: is no run, it has no {_MANIFEST}, so that nobody knows who it has heard; give the folder of a "
            "finished run, or start where its path leads to it"
        )
    clips = read_manifest(path)
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        parts = [row.get("part") for row in csv.DictReader(file)]
    if not set(parts) <= set(PARTS):
        raise ConfigurationError(f"{field}={run}: its {_MANIFEST} does not tell the parts; give the folder of a run")
    return zip(clips, (part or "" for part in parts), strict=True)


def _with_ancestors(run: Path, field: str, below: tuple[Path, ...]) -> Iterable[Path]:
    """A run, and those whose weights, frames or predictions went into it."""
    if run in below:
        raise ConfigurationError(f"{field}={run}: comes from itself; give the folder of another run")
    yield run
    for origin in _origins(configuration.load(run / _CONFIGURATION)):
        yield from _with_ancestors(origin, field, (*below, run))


def _origins(settings: configuration.Configuration) -> list[Path]:
    """The runs whose weights, frames or predictions go into one of this configuration."""
    origins: list[Path] = []
    if settings.transfer is not None:
        source = run_of(settings.transfer.of_fold(settings.split.fold).source)
        origins.extend([] if source is None else [source])
    if settings.distillation is not None:
        chosen = settings.distillation.of_fold(settings.split.fold)
        if chosen.teacher is not None and chosen.teacher.suffix != ".safetensors":
            origins.append(chosen.teacher)
        for predictions in chosen.predictions:
            origins.extend(runs_of(predictions))
    return origins
