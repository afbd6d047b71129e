"""Adapting a model: its last layer fitted to clips of one's own, and tested on speakers that it was not fitted to."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

import emogram
from emogram import processors
from emogram.adaptation.graph import HeadOf, windows_of
from emogram.adaptation.head import PRIOR, Array, Head, fit_head
from emogram.audio import Wave
from emogram.corpora.clip import Clip
from emogram.emotions import ordered
from emogram.errors import ConfigurationError, CorpusError, ModelError
from emogram.evaluation.calibration import apply_temperature, fit_temperature, uncertainty_threshold
from emogram.evaluation.predictions import Predictions
from emogram.evaluation.statistics import Comparison, compare
from emogram.recognition.bundled import find_model
from emogram.recognition.model_file import ModelInfo, read_model
from emogram.recognition.recognizer import Recognizer
from emogram.sounds import Colour, coloured, mixed
from emogram.splits import require_no_leak
from emogram.splits.draw import balance, stratify
from emogram.splits.schemes import from_speakers
from emogram.writing import whole

FOLDS = 5
"""Parts that the clips are tested in, each by a layer fitted to the others; fewer where there are fewer speakers."""

_SNR_DB = (0.0, 20.0)
_COLOURS: tuple[Colour, ...] = get_args(Colour)
_TOLERANCE = 1e-4
_FEWEST = 2
"""Clips of each emotion: one to learn from, one to test."""
_FEWEST_SPEAKERS = 2
"""Of whom one can be tested by a layer that was fitted to the other."""


@dataclass(frozen=True, eq=False)
class Adaptation:
    """A model that was adapted, and what that is worth.

    Attributes:
        content: of the model file.
        info: what the file says about itself.
        origin: name of the model that was adapted.
        before: what the model answered as it was, choosing among those of the clips' emotions that it knows; None where it
            knows fewer than two of them.
        after: what layers answered that were fitted without the speaker of each clip; without the clip, where
            `speaker_disjoint` is false.
        speaker_disjoint: whether no clip was answered by a layer that was fitted to its speaker.
        new: emotions that the model had not known.
        curve: by how many clips of each emotion, what layers answered that were fitted to so many.
        notes: what limits the scores, in sentences.
    """

    content: bytes
    info: ModelInfo
    origin: str
    before: Predictions | None
    after: Predictions
    speaker_disjoint: bool
    new: tuple[str, ...]
    curve: dict[int, Predictions]
    notes: tuple[str, ...]

    def compare(self, metric: str = "accuracy") -> Comparison | None:
        """The adapted model against the model as it was, on the same clips; None where that could not answer."""
        if self.before is None:
            return None
        return compare(self.after, self.before, metric=metric, names=("the adapted model", "the model as it was"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. A reader sees the old file or the new one, never a part."""
        with whole(Path(path)) as partial:
            partial.write_bytes(self.content)


@dataclass(frozen=True, eq=False)
class _Heard:
    """What goes into the last layer for each window of each clip."""

    rows: Array
    noisy: Array
    """The same windows in noise."""
    clip_of: npt.NDArray[np.int64]
    """Which clip each row is of, ascending."""
    targets: npt.NDArray[np.int64]
    """Index of the emotion, one a clip."""

    @property
    def shares(self) -> Array:
        """How much each row counts: the rows of a clip count as one."""
        return np.asarray(1 / np.bincount(self.clip_of)[self.clip_of])

    def fitted(self, clips: npt.NDArray[np.bool_], start: Head, prior: float) -> Head:
        """The layer fitted to some of the clips."""
        chosen = clips[self.clip_of]
        rows = np.concatenate([self.rows[chosen], self.noisy[chosen]])
        targets, shares = self.targets[self.clip_of][chosen], self.shares[chosen] / 2
        return fit_head(rows, np.tile(targets, 2), np.tile(shares, 2), start, prior=prior)

    def averaged(self, probabilities: Array) -> Array:
        """Of rows [M, K], the mean over the windows of each clip [N, K]."""
        total = np.zeros((len(self.targets), probabilities.shape[1]))
        np.add.at(total, self.clip_of, probabilities)
        return np.asarray(total / np.bincount(self.clip_of)[:, None])


def adapt(
    clips: Sequence[Clip],
    model: str | os.PathLike[str] | bytes | None = None,
    *,
    name: str = "adapted",
    prior: float = PRIOR,
    seed: int = 0,
    counts: Sequence[int] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Adaptation:
    """Fit a model's last layer to labelled clips, each as it is and in coloured noise of 0 to 20 dB.

    The clips are tested in five parts, no speaker in two of them, each by a layer fitted to the others; the layer that is kept is
    fitted to all. Where the clips have one speaker, or unknown ones, the parts are drawn from the clips: the scores are then
    those of voices that the model was adapted to.

    Args:
        clips: labelled; their emotions are those that the adapted model tells apart, whether the model knew them or not.
        model: as for `emogram.load`.
        name: of the adapted model, shown beside its answers.
        prior: how strongly the layer is drawn towards what it was; above 0.
        seed: of the parts, the noise, and the clips that a point of the curve is fitted to.
        counts: points of the curve: clips of each emotion, at most, that a layer is fitted to, drawn from the other parts.
        progress: called after each clip that was heard with the number heard and that of all.

    Raises:
        ConfigurationError: fewer than two emotions, fewer than two clips of one, a prior that is not above 0.
        AudioError: a clip cannot be read.
        LeakError: the same recording belongs to two speakers.
        ModelError: a model that emogram did not export.
    """
    _check(prior, counts)
    emotions = _emotions(clips)
    layer = HeadOf(read_model(find_model(model)))
    heard = _listen(layer, clips, emotions, seed, progress)
    return _adapted(clips, emotions, layer, heard, name=name, prior=prior, seed=seed, counts=counts)


def _adapted(
    clips: Sequence[Clip],
    emotions: tuple[str, ...],
    layer: HeadOf,
    heard: _Heard,
    *,
    name: str,
    prior: float,
    seed: int,
    counts: Sequence[int],
) -> Adaptation:
    part_of, disjoint = _parts(clips, seed)
    start = layer.start(emotions)

    def tested(count: int | None = None) -> tuple[Array, Predictions]:
        logits = _in_parts(heard, part_of, start, prior, None if count is None else (count, seed))
        return logits, Predictions.from_clips(clips, _answered(heard, part_of, logits), emotions)

    logits, after = tested()
    notes = _notes(layer.info, clips, disjoint)
    head = heard.fitted(np.ones(len(clips), dtype=bool), start, prior)
    temperature = fit_temperature(logits, heard.targets[heard.clip_of])
    info = _info(layer.info, clips, after, name=name, temperature=temperature, notes=notes)
    content = layer.replaced(head, info)
    _require_same(content, heard, head, clips)
    return Adaptation(
        content=content,
        info=info,
        origin=layer.info.name,
        before=_as_it_was(layer, heard, clips, emotions),
        after=after,
        speaker_disjoint=disjoint,
        new=tuple(emotion for emotion in emotions if emotion not in layer.info.labels),
        curve={count: tested(count)[1] for count in counts},
        notes=notes,
    )


def _check(prior: float, counts: Sequence[int]) -> None:
    if not 0 < prior < np.inf:
        raise ConfigurationError(f"prior: {prior:g} is not above 0; the usual one is {PRIOR:g}")
    if any(count < 1 for count in counts):
        raise ConfigurationError(f"counts: {min(counts)} is not 1 or more")


def _answered(heard: _Heard, part_of: npt.NDArray[np.int64], logits: Array) -> Array:
    """Probabilities [N, K] of every clip, at the temperature that the other parts ask for."""
    probabilities = np.empty_like(logits)
    targets = heard.targets[heard.clip_of]
    for part in range(part_of.max() + 1):
        rows = (part_of == part)[heard.clip_of]
        probabilities[rows] = apply_temperature(logits[rows], fit_temperature(logits[~rows], targets[~rows]))
    return heard.averaged(probabilities)


def _in_parts(
    heard: _Heard, part_of: npt.NDArray[np.int64], start: Head, prior: float, few: tuple[int, int] | None = None
) -> Array:
    """Logits [M, K] of every row by a layer that was fitted to the other parts; to few of them: how many, and the seed."""
    logits = np.empty((len(heard.rows), len(start.bias)))
    for part in range(part_of.max() + 1):
        tested = part_of == part
        chosen = ~tested if few is None else _drawn(heard.targets, ~tested, *few, part)
        rows = tested[heard.clip_of]
        logits[rows] = heard.fitted(chosen, start, prior).logits(heard.rows[rows])
    return logits


def _drawn(
    targets: npt.NDArray[np.int64], among: npt.NDArray[np.bool_], count: int, seed: int, part: int
) -> npt.NDArray[np.bool_]:
    """So many clips of each emotion, or all where there are fewer. Fewer are a part of more."""
    order = np.random.default_rng([seed, part]).permutation(len(targets))
    chosen = np.zeros(len(targets), dtype=bool)
    for emotion in np.unique(targets):
        chosen[order[among[order] & (targets[order] == emotion)][:count]] = True
    return chosen


def _emotions(clips: Sequence[Clip]) -> tuple[str, ...]:
    emotions = ordered(clip.emotion for clip in clips)
    if len(emotions) < 2:
        raise ConfigurationError(f"clips: hold {len(emotions) or 'no'} emotion; to adapt takes two or more")
    twice = [clip_id for clip_id, count in Counter(clip.clip_id for clip in clips).items() if count > 1]
    if twice:
        raise ConfigurationError(f"clips: {twice[0]} is there twice; name each folder or table once")
    for emotion in emotions:
        count = sum(clip.emotion == emotion for clip in clips)
        if count < _FEWEST:
            raise ConfigurationError(
                f"clips: {count} of '{emotion}'; to learn and to test take {_FEWEST} of each emotion: record more of it, for "
                f"example by running emogram record again, or leave it out"
            )
    return emotions


def _listen(
    layer: HeadOf,
    clips: Sequence[Clip],
    emotions: tuple[str, ...],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> _Heard:
    found: list[tuple[npt.NDArray[np.float32], ...]] = []

    def hear(clip: Clip) -> tuple[npt.NDArray[np.float32], ...]:
        rng = np.random.default_rng([seed, *clip.clip_id.encode(errors="surrogateescape")])
        windows = list(windows_of(clip.path, layer.info))
        return layer.rows(windows), layer.rows(_in_noise(window, rng, layer.info.sample_rate) for window in windows)

    with ThreadPoolExecutor(processors.count(), thread_name_prefix="emogram") as pool:
        for heard in pool.map(hear, clips):
            found.append(heard)
            if progress is not None:
                progress(len(found), len(clips))
    rows, noisy = (np.concatenate(each).astype(np.float64) for each in zip(*found, strict=True))
    return _Heard(
        rows=rows,
        noisy=noisy,
        clip_of=np.repeat(np.arange(len(clips)), [len(rows) for rows, _ in found]),
        targets=np.array([emotions.index(clip.emotion) for clip in clips], dtype=np.int64),
    )


def _in_noise(wave: Wave, rng: np.random.Generator, sample_rate: int) -> Wave:
    colour = _COLOURS[int(rng.integers(len(_COLOURS)))]
    noise = coloured(len(wave), colour, rng, sample_rate=sample_rate)
    return mixed(wave, noise, snr_db=float(rng.uniform(*_SNR_DB)))


def _parts(clips: Sequence[Clip], seed: int) -> tuple[npt.NDArray[np.int64], bool]:
    """The part that tests each clip, [N], and whether no speaker is in two of them."""
    speakers = {clip.speaker for clip in clips}
    disjoint = len(speakers) > 1 and "" not in speakers
    if disjoint:
        return _by_speaker(clips, min(FOLDS, len(speakers)), seed), True
    fewest = min(sum(clip.emotion == emotion for clip in clips) for emotion in {clip.emotion for clip in clips})
    count = min(FOLDS, fewest)
    parts = [part for part in stratify(clips, [1 / count] * count, f"adapt {seed}") if part]
    of_clip = {clip.clip_id: index for index, part in enumerate(parts) for clip in part}
    if len(parts) < 2:
        raise CorpusError("clips: all are copies of one recording; give different ones")
    return np.array([of_clip[clip.clip_id] for clip in clips]), False


def _by_speaker(clips: Sequence[Clip], count: int, seed: int) -> npt.NDArray[np.int64]:
    """The part of each clip, [N], with every speaker in one part. None of them validates, so two clips can be enough."""
    dealt = balance(clips, [1 / count] * count, f"kfold {count} {seed}")
    for test in dealt:
        require_no_leak(from_speakers("kfold", clips, test=test, validation=()))
    part_of = {speaker: part for part, speakers in enumerate(dealt) for speaker in speakers}
    return np.array([part_of[clip.speaker] for clip in clips])


def _as_it_was(layer: HeadOf, heard: _Heard, clips: Sequence[Clip], emotions: tuple[str, ...]) -> Predictions | None:
    known = np.array([emotion in layer.info.labels for emotion in emotions])
    if known.sum() < 2:
        return None
    logits = np.where(known, layer.start(emotions).logits(heard.rows), -np.inf)
    probabilities = heard.averaged(apply_temperature(logits, layer.info.temperature))
    return Predictions.from_clips(clips, probabilities, emotions)


def _notes(info: ModelInfo, clips: Sequence[Clip], disjoint: bool) -> tuple[str, ...]:
    notes = []
    if not disjoint:
        why = "one speaker" if all(clip.speaker for clip in clips) else "speakers that are not known"
        notes.append(f"the clips have {why}: the scores are those of voices that the model was adapted to")
    elif len({clip.speaker for clip in clips}) == _FEWEST_SPEAKERS:
        notes.append("the clips have two speakers: each is answered by a layer fitted to the other alone")
    both = sorted({clip.corpus for clip in clips} & set(info.training_corpora))
    if both:
        notes.append(
            f"{info.name} learnt from {', '.join(both)} as a whole: its scores there, before and after, are too high"
        )
    return tuple(notes)


def _info(
    info: ModelInfo,
    clips: Sequence[Clip],
    after: Predictions,
    *,
    name: str,
    temperature: float,
    notes: tuple[str, ...],
) -> ModelInfo:
    corpora = sorted({clip.corpus for clip in clips})
    speakers = len({clip.speaker for clip in clips if clip.speaker})
    heard = f"{len(clips)} clips of {', '.join(corpora)}" + (f" ({speakers} speakers)" if speakers else "")
    right = after.predicted == after.truth
    accuracy = float(right.mean())
    words = [
        f"{name}: {info.name}, its last layer adapted to {heard}. Emotions: {', '.join(after.emotions)}.",
        f"Accuracy {100 * accuracy:.1f} % in parts that it was not fitted to.",
        *(f"Note: {note}." for note in notes),
        "",
        f"What {info.name} says of itself:",
        "",
        info.card or "nothing",
    ]
    return dataclasses.replace(
        info,
        name=name,
        labels=after.emotions,
        temperature=temperature,
        uncertain_below=uncertainty_threshold(after.confidence.astype(np.float64), right),
        training_corpora=tuple(sorted({*info.training_corpora, *corpora})),
        scores={"accuracy": round(accuracy, 4), "protocol": "adapted, in parts", "part": "test"},
        emogram_version=emogram.__version__,
        created=datetime.now(UTC).date().isoformat(),
        card="\n".join(words),
    )


def _require_same(content: bytes, heard: _Heard, head: Head, clips: Sequence[Clip]) -> None:
    """Make sure that the file answers as the layer does, on some of the clips.

    Raises:
        ModelError: it does not.
    """
    recognizer = Recognizer(read_model(content))
    chosen = range(0, len(clips), max(1, len(clips) // 4))
    expected = heard.averaged(apply_temperature(head.logits(heard.rows), recognizer.info.temperature))
    for index in chosen:
        windows = windows_of(clips[index].path, recognizer.info)
        answer = np.mean([recognizer.probabilities(window) for window in windows], axis=0)
        if not np.abs(answer - expected[index]).max() <= _TOLERANCE:
            raise ModelError(f"{clips[index].path}: the adapted file answers otherwise than its layer; report this")
