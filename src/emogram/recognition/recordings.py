"""The real-life test: recordings with the emotion that was meant and the one that was recognised, kept as a corpus.

The folder holds ``EMOTION/SPEAKER/NAME.flac``, or ``EMOTION/NAME.flac`` where the speaker is unknown, so that the corpus
``folder`` reads it as it is, and the table `TABLE`, which the corpus ``csv`` reads: its columns are `COLUMNS`, its
paths relative to it.
"""

import csv
import errno
import io
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile

from emogram.audio import MAX_RATE, MIN_RATE, Wave
from emogram.emotions import EMOTIONS, ordered
from emogram.errors import AudioError, ConfigurationError, CorpusError, did_you_mean
from emogram.recognition.results import Prediction

TABLE = "recordings.csv"
COLUMNS = (
    *("path", "emotion", "speaker", "predicted", "confidence"),
    *("uncertain", "duration_s", "model", "recorded_at"),
)

_SAFE = re.compile(r"[^\W_][\w -]{0,59}")
"""What a folder may be called on any system, and what the corpus ``folder`` does not pass over."""

_LOUDEST = 1 - 2**-15


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A row of the table.

    Attributes:
        path: of the audio, relative to the folder, with slashes.
        emotion: the one that was meant.
        speaker: who spoke, or empty.
        predicted: the emotion that was recognised.
        confidence: its probability.
        uncertain: whether the model said so.
        duration_s: length in seconds.
        model: that recognised it.
        recorded_at: date and time in UTC, ISO 8601.
    """

    path: str
    emotion: str
    speaker: str
    predicted: str
    confidence: float
    uncertain: bool
    duration_s: float
    model: str
    recorded_at: str

    @property
    def agrees(self) -> bool:
        """Whether the emotion that was meant is the one that was recognised."""
        return self.emotion == self.predicted

    def to_dict(self) -> dict[str, str | float | bool]:
        """The fields as JSON has them."""
        return asdict(self)


class Recordings:
    """A folder of recordings, made when the first is added. Any number of processes may add to it at once.

    Args:
        folder: new, empty, or of earlier recordings.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.table = self.folder / TABLE

    def add(
        self, wave: Wave, sample_rate: int, *, intended: str, prediction: Prediction, speaker: str | None = None
    ) -> Recording:
        """Keep a recording, as FLAC of 16 bit. What is there is never overwritten.

        Args:
            wave: [T], between -1 and 1; what is beyond is clipped.
            sample_rate: in Hz.
            intended: the emotion that was meant: a canonical one, or one that the model knows.
            prediction: what was recognised.
            speaker: who spoke: a name of letters, digits, spaces, - and _.

        Raises:
            ConfigurationError: an emotion or speaker that cannot be.
            AudioError: the wave is none, or its sample rate cannot be.
            CorpusError: the folder cannot be written, or holds another table; nothing was kept.
        """
        _check_wave(wave, sample_rate)
        emotion, name = check_emotion(intended, prediction.probabilities), check_speaker(speaker)
        now = datetime.now(UTC)
        try:
            parent = self.folder.joinpath(emotion, *([name] if name else []))
            parent.mkdir(parents=True, exist_ok=True)
            self._claim_table()
            path = _write_sound(parent, f"{now:%Y%m%d-%H%M%S}", wave, sample_rate)
            recording = Recording(
                path=path.relative_to(self.folder).as_posix(),
                emotion=emotion,
                speaker=name,
                predicted=prediction.emotion,
                confidence=round(prediction.confidence, 4),
                uncertain=prediction.uncertain,
                duration_s=round(len(wave) / sample_rate, 3),
                model=prediction.model,
                recorded_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            )
            try:
                _append(self.table, _line(recording))
            except OSError:
                path.unlink(missing_ok=True)
                raise
        except (OSError, soundfile.LibsndfileError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CorpusError(f"{self.folder}: cannot be written ({reason}); check the disk and permissions") from None
        return recording

    def __iter__(self) -> Iterator[Recording]:
        """The recordings whose file is still there, in the order of the table.

        Raises:
            CorpusError: the table cannot be read; names the row.
        """
        for number, row in enumerate(self._rows(), start=2):
            try:
                recording = _read(row)
            except (KeyError, TypeError, ValueError):
                remedy = "correct or remove the row"
                raise CorpusError(f"{self.table}: row {number} is none of a recording; {remedy}") from None
            if (self.folder / recording.path).is_file():
                yield recording

    def tally(self) -> dict[str, dict[str, int]]:
        """How often which emotion was recognised where which was meant: intended, predicted, count; only what occurs.

        Raises:
            CorpusError: the table cannot be read.
        """
        pairs = [(recording.emotion, recording.predicted) for recording in self]
        return {
            emotion: {
                predicted: pairs.count((emotion, predicted))
                for predicted in ordered(second for first, second in pairs if first == emotion)
            }
            for emotion in ordered(first for first, _ in pairs)
        }

    def agreement(self) -> tuple[int, int]:
        """How many recordings were recognised as meant, and how many there are.

        Raises:
            CorpusError: the table cannot be read.
        """
        agreeing = [recording.agrees for recording in self]
        return sum(agreeing), len(agreeing)

    def _rows(self) -> list[dict[str, str]]:
        try:
            with self.table.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                rows = list(reader)
                columns = tuple(reader.fieldnames or ())
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise CorpusError(f"{self.table}: cannot be read as CSV ({reason}); move it away") from error
        if columns != COLUMNS:
            raise self._foreign()
        return rows

    def _claim_table(self) -> None:
        """Make the table where there is none, with its header at once, so that no other process sees it without."""
        header = ",".join(COLUMNS) + "\n"
        if not self.table.exists():
            partial = self.folder / f".{TABLE}.{secrets.token_hex(8)}.partial"
            try:
                partial.write_text(header, encoding="utf-8", newline="\n")
                _rename_to_new(partial, self.table)
            finally:
                partial.unlink(missing_ok=True)
        with self.table.open(newline="", encoding="utf-8", errors="replace") as file:
            if file.readline() != header:
                raise self._foreign()

    def _foreign(self) -> CorpusError:
        return CorpusError(f"{self.table}: is no table of recordings; choose another folder, or move it away")


def check_speaker(name: str | None) -> str:
    """The name of a speaker as a folder has it, empty where there is none; spaces become underscores.

    Raises:
        ConfigurationError: a name that cannot be.
    """
    speaker = re.sub(r"\s+", "_", unicodedata.normalize("NFC", name or "").strip())
    if speaker and not _SAFE.fullmatch(speaker):
        raise ConfigurationError(
            f"speaker: {speaker[:80]!r} is no name; take up to 60 letters, digits, spaces, - and _, the first a letter or digit"
        )
    return speaker


def check_emotion(intended: str, labels: Iterable[str]) -> str:
    """The emotion that was meant, as a folder has it: a canonical one, or one of a model's own labels.

    Raises:
        ConfigurationError: an emotion that cannot be.
    """
    known = ordered([*EMOTIONS, *labels])
    emotion = intended.strip().lower()
    if emotion not in known:
        near = did_you_mean(emotion, known) or ";"
        raise ConfigurationError(f"emotion: {intended[:80]!r} is none{near} choose from {', '.join(known)}")
    if not _SAFE.fullmatch(emotion):
        raise ConfigurationError(f"emotion: no folder can be called {intended[:80]!r}; choose another model")
    return emotion


def _check_wave(wave: Wave, sample_rate: int) -> None:
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise AudioError(
            "recording", f"its sample rate is {sample_rate} Hz", f"record with {MIN_RATE} to {MAX_RATE} Hz"
        )
    if wave.dtype.kind != "f" or wave.ndim != 1 or not len(wave) or not np.isfinite(wave).all():
        raise AudioError("recording", "is no wave [T] of numbers", "record it again")


def _write_sound(folder: Path, moment: str, wave: Wave, sample_rate: int) -> Path:
    """A new file, there whole or not at all. Who holds the partial file of a name may give it, and nobody else."""
    while True:
        path = folder / f"{moment}-{secrets.token_hex(3)}.flac"
        partial = path.with_name(f".{path.name}.partial")
        try:
            file = partial.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                if not path.exists():
                    soundfile.write(file, np.clip(wave, -1, _LOUDEST), sample_rate, format="FLAC", subtype="PCM_16")
            if path.exists():
                partial.unlink()
                continue
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return path


def _rename_to_new(partial: Path, path: Path) -> None:
    """Give a file its name, unless another process was quicker."""
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            partial.replace(path)


def _append(table: Path, line: str) -> None:
    """One call that writes at the end, wherever that is by then: lines of several processes never mix."""
    content = line.encode()
    descriptor = os.open(table, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
    try:
        if os.write(descriptor, content) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _line(recording: Recording) -> str:
    text = io.StringIO()
    cells = asdict(recording) | {"uncertain": str(recording.uncertain).lower()}
    csv.DictWriter(text, COLUMNS, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _read(row: dict[str, str]) -> Recording:
    if set(row) != set(COLUMNS) or None in row.values() or row["uncertain"] not in {"true", "false"}:
        raise ValueError
    return Recording(
        path=row["path"],
        emotion=row["emotion"],
        speaker=row["speaker"],
        predicted=row["predicted"],
        confidence=float(row["confidence"]),
        uncertain=row["uncertain"] == "true",
        duration_s=float(row["duration_s"]),
        model=row["model"],
        recorded_at=row["recorded_at"],
    )
