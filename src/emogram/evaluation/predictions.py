"""`Predictions`: what a model answered for every clip, from which each table and figure is made."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emogram.corpora.clip import Clip
from emogram.emotions import ordered
from emogram.errors import ConfigurationError, CorpusError
from emogram.writing import whole

COLUMNS: tuple[str, ...] = ("clip_id", "corpus", "speaker", "sex", "emotion", "predicted")
"""The first columns of a predictions file; a column ``p_<emotion>`` for each emotion follows."""

OF_TEST = "predictions-test.csv"
"""What the predictions of a run's test part are called in its folder."""

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities for N clips over K emotions, with the truth.

    Attributes:
        clip_ids: one a clip, distinct.
        corpora: the corpus of each clip.
        speakers: the speaker of each clip, empty where unknown.
        sexes: ``female``, ``male`` or empty.
        truth: index into `emotions` of the true emotion, int64 [N].
        probabilities: float32 [N, K]; rows add up to 1.
        emotions: the K emotions, in the order of the columns.

    Raises:
        ConfigurationError: arrays that do not fit each other, a truth that is no emotion, numbers that are no
            probabilities.
    """

    clip_ids: tuple[str, ...]
    corpora: tuple[str, ...]
    speakers: tuple[str, ...]
    sexes: tuple[str, ...]
    truth: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    emotions: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "truth", np.array(self.truth, dtype=np.int64))
        object.__setattr__(self, "probabilities", np.array(self.probabilities, dtype=np.float32))
        for name in ("clip_ids", "corpora", "speakers", "sexes", "emotions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        problem = self._problem()
        if problem:
            raise ConfigurationError(f"predictions: {problem}; make them again with: emogram evaluate")
        self.truth.setflags(write=False)
        self.probabilities.setflags(write=False)

    @classmethod
    def from_clips(cls, clips: Sequence[Clip], probabilities: npt.ArrayLike, emotions: Sequence[str]) -> "Predictions":
        """Probabilities [N, K] over `emotions` for N clips.

        Raises:
            ConfigurationError: a clip with an emotion that is not among `emotions`; and as for the class.
        """
        place = {emotion: index for index, emotion in enumerate(emotions)}
        strangers = [clip for clip in clips if clip.emotion not in place]
        if strangers:
            known = ", ".join(emotions)
            raise ConfigurationError(
                f"clip {strangers[0].clip_id}: emotion '{strangers[0].emotion}' is none of {known}"
            )
        return cls(
            clip_ids=tuple(clip.clip_id for clip in clips),
            corpora=tuple(clip.corpus for clip in clips),
            speakers=tuple(clip.speaker for clip in clips),
            sexes=tuple(clip.sex for clip in clips),
            truth=np.array([place[clip.emotion] for clip in clips], dtype=np.int64),
            probabilities=np.asarray(probabilities, dtype=np.float32),
            emotions=tuple(emotions),
        )

    def __len__(self) -> int:
        return len(self.clip_ids)

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """Index of the most probable emotion of each clip, int64 [N]; the first of equals."""
        predicted: npt.NDArray[np.int64] = np.argmax(self.probabilities, axis=1).astype(np.int64)
        return predicted

    @property
    def confidence(self) -> npt.NDArray[np.float64]:
        """Probability of the predicted emotion of each clip, float64 [N]."""
        confidence: npt.NDArray[np.float64] = self.probabilities.max(axis=1).astype(np.float64)
        return confidence

    def take(self, indices: npt.ArrayLike) -> "Predictions":
        """The clips at these places, in the order given."""
        chosen = np.asarray(indices, dtype=np.int64)
        return Predictions(
            clip_ids=tuple(self.clip_ids[i] for i in chosen),
            corpora=tuple(self.corpora[i] for i in chosen),
            speakers=tuple(self.speakers[i] for i in chosen),
            sexes=tuple(self.sexes[i] for i in chosen),
            truth=self.truth[chosen],
            probabilities=self.probabilities[chosen],
            emotions=self.emotions,
        )

    def _problem(self) -> str:
        """What is wrong with the arrays, or nothing."""
        count, width = len(self.clip_ids), len(self.emotions)
        if count == 0:
            return "no clips"
        if len({count, len(self.corpora), len(self.speakers), len(self.sexes), *self.truth.shape}) > 1:
            return f"columns of different length for {count} clips"
        if self.probabilities.shape != (count, width):
            return f"probabilities of shape {self.probabilities.shape} for {count} clips and {width} emotions"
        return self._wrong_value()

    def _wrong_value(self) -> str:
        if len(set(self.clip_ids)) < len(self.clip_ids) or len(set(self.emotions)) < len(self.emotions):
            return "a clip or an emotion is listed twice"
        if self.truth.min() < 0 or self.truth.max() >= len(self.emotions):
            return f"a true emotion that is none of {', '.join(self.emotions)}"
        fine = (self.probabilities >= 0).all() and (self.probabilities <= 1 + _SUM_TOLERANCE).all()
        if not fine or np.abs(self.probabilities.sum(axis=1, dtype=np.float64) - 1).max() > _SUM_TOLERANCE:
            return "probabilities that are not between 0 and 1 or do not add up to 1"
        return ""


def pool(folds: Sequence[Predictions]) -> Predictions:
    """The predictions of several folds as one table, so that every clip of a corpus is tested once.

    Raises:
        ConfigurationError: no folds, folds with other emotions, or a clip in two folds.
    """
    if not folds or len({fold.emotions for fold in folds}) > 1:
        raise ConfigurationError("folds: only folds with the same emotions can be pooled; evaluate them one by one")
    return Predictions(
        clip_ids=tuple(clip_id for fold in folds for clip_id in fold.clip_ids),
        corpora=tuple(corpus for fold in folds for corpus in fold.corpora),
        speakers=tuple(speaker for fold in folds for speaker in fold.speakers),
        sexes=tuple(sex for fold in folds for sex in fold.sexes),
        truth=np.concatenate([fold.truth for fold in folds]),
        probabilities=np.concatenate([fold.probabilities for fold in folds]),
        emotions=folds[0].emotions,
    )


def mean(systems: Sequence[Predictions]) -> Predictions:
    """The answers of an ensemble: the mean of the probabilities that several systems give to the same clips.

    Args:
        systems: with the same clips, in any order, and the same emotions.

    Raises:
        ConfigurationError: systems with other clips or emotions.
    """
    first = systems[0]
    total = np.zeros(first.probabilities.shape)
    for system in systems:
        place = {clip_id: row for row, clip_id in enumerate(system.clip_ids)}
        if system.emotions != first.emotions or place.keys() != set(first.clip_ids):
            raise ConfigurationError(
                "ensemble: its members answer for other clips or emotions; give runs of the same test part"
            )
        total += system.probabilities[[place[clip_id] for clip_id in first.clip_ids]]
    return replace(first, probabilities=(total / len(systems)).astype(np.float32))


def own_emotions(predictions: Predictions) -> tuple[str, ...]:
    """The emotions that the clips have, in canonical order."""
    return ordered(predictions.emotions[truth] for truth in predictions.truth)


def among(predictions: Predictions, emotions: Sequence[str]) -> Predictions:
    """The same answers where only these emotions are possible: probabilities of the others are taken away.

    Raises:
        ConfigurationError: an emotion that is not known, or a clip whose truth is none of them.
    """
    unknown = [emotion for emotion in emotions if emotion not in predictions.emotions]
    if unknown:
        raise ConfigurationError(f"emotion '{unknown[0]}': is none of {', '.join(predictions.emotions)}")
    columns = [predictions.emotions.index(emotion) for emotion in emotions]
    if not np.isin(predictions.truth, columns).all():
        raise ConfigurationError(f"predictions: some clips are none of {', '.join(emotions)}; leave those out before")
    kept = np.maximum(predictions.probabilities[:, columns].astype(np.float64), 1e-30)
    return Predictions(
        clip_ids=predictions.clip_ids,
        corpora=predictions.corpora,
        speakers=predictions.speakers,
        sexes=predictions.sexes,
        truth=np.array([columns.index(truth) for truth in predictions.truth], dtype=np.int64),
        probabilities=(kept / kept.sum(axis=1, keepdims=True)).astype(np.float32),
        emotions=tuple(emotions),
    )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write one row a clip as CSV; probabilities have the 9 digits that bring the same float32 back."""
    # As manifests are written: a clip has the name of its file, whose bytes may be no UTF-8.
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *(f"p_{emotion}" for emotion in predictions.emotions)])
        names = zip(predictions.clip_ids, predictions.corpora, predictions.speakers, predictions.sexes, strict=True)
        answers = zip(predictions.truth, predictions.predicted, predictions.probabilities, strict=True)
        for name, (truth, predicted, row) in zip(names, answers, strict=True):
            labels = (predictions.emotions[truth], predictions.emotions[predicted])
            writer.writerow([*name, *labels, *(f"{probability:.9g}" for probability in row)])


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises:
        CorpusError: the file is missing, lacks columns, or has a row that cannot be read; names the row.
    """
    if path.suffix == ".onnx" and path.is_file():
        made = f"emogram evaluate {path} --corpus NAME=PATH -o {path.stem}.csv"
        raise CorpusError(f"{path}: is a model, no predictions; make them first: {made}")
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            emotions = tuple(name.removeprefix("p_") for name in header[len(COLUMNS) :])
            if tuple(header[: len(COLUMNS)]) != COLUMNS or not emotions:
                expected = f"{','.join(COLUMNS)},p_…"
                raise CorpusError(
                    f"{path}: is no table of predictions, whose first line is {expected}; give a run's folder"
                )
            rows = [_row(path, number, row, emotions) for number, row in enumerate(reader, start=2)]
    except (OSError, csv.Error) as error:
        raise CorpusError(_why_unreadable(path, error)) from error
    names = [name for name, _, _ in rows]
    try:
        return Predictions(
            clip_ids=tuple(name[0] for name in names),
            corpora=tuple(name[1] for name in names),
            speakers=tuple(name[2] for name in names),
            sexes=tuple(name[3] for name in names),
            truth=np.array([truth for _, truth, _ in rows], dtype=np.int64),
            probabilities=np.array([row for _, _, row in rows], dtype=np.float32).reshape(len(rows), len(emotions)),
            emotions=emotions,
        )
    except ConfigurationError as error:
        raise CorpusError(f"{path}: {error}") from error


def _why_unreadable(path: Path, error: OSError | csv.Error) -> str:
    if isinstance(error, csv.Error):
        return f"{path}: is no table of predictions ({error}); give a run's folder or its predictions-test.csv"
    if isinstance(error, FileNotFoundError) and path.parent.is_dir() and path.name == OF_TEST:
        return f"{path.parent}: is no run folder, it has no {OF_TEST}; give the folder of a finished run"
    if isinstance(error, FileNotFoundError):
        return f"{path}: there is no such file; give a run's folder or a table of predictions"
    return f"{path}: cannot be read as predictions ({error.strerror}); make it again: emogram evaluate"


def _row(path: Path, number: int, row: list[str], emotions: tuple[str, ...]) -> tuple[list[str], int, list[float]]:
    width = len(COLUMNS) + len(emotions)
    if len(row) != width:
        raise CorpusError(
            f"{path}: row {number}: {len(row)} columns instead of {width}; make it again: emogram evaluate"
        )
    if row[4] not in emotions:
        raise CorpusError(f"{path}: row {number}: emotion '{row[4]}' has no column p_{row[4]}; correct the row")
    try:
        return row[:4], emotions.index(row[4]), [float(value) for value in row[len(COLUMNS) :]]
    except ValueError as error:
        raise CorpusError(f"{path}: row {number}: {error}; correct the row") from error
