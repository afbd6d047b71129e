"""One labelled recording, and the manifest: the table of such rows that splits, training and evaluation share."""

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

from emogram.errors import CorpusError
from emogram.writing import whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One labelled recording.

    Attributes:
        clip_id: unique and the same on every machine: the corpus and the official stem, ``ravdess/03-01-05-01-02-01-12``.
        path: where the audio lies on this machine.
        corpus: ``ravdess``, ``tess``, … as in `emogram corpus list`.
        speaker: unique across corpora: ``ravdess-12``; empty where unknown.
        sex: ``female``, ``male`` or empty where unknown.
        emotion: canonical name, see `emogram.emotions`.
        raw_label: the corpus's own label.
        intensity: the corpus's own level (``normal``, ``strong``, ``LO`` …) or empty.
        text: what is said, or its code, or empty.
        take: repetition, or empty.
        age: in years, empty where unknown.
        kind: ``speech`` or ``song``.
        duration_s: decoded length in seconds.
        sha256: hash of the file's bytes, hexadecimal.
        source_sha256: for an augmented copy, the hash of the clip that it was made from; else empty.
    """

    clip_id: str
    path: str
    corpus: str
    speaker: str
    sex: str = ""
    emotion: str
    raw_label: str
    intensity: str = ""
    text: str = ""
    take: str = ""
    age: str = ""
    kind: str = "speech"
    duration_s: float = 0.0
    sha256: str = ""
    source_sha256: str = ""


FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Clip))


_REMEDY = "make one with: emogram corpus scan"
_HASH = re.compile(r"[\w-]+")
"""No separators and no dots; that it is the hash of its file, is checked where the file is read."""


def write_rows(file: TextIO, clips: Sequence[Clip], *, parts: Sequence[str] | None = None) -> None:
    """Write clips as CSV to an open text file, as `write_manifest` does."""
    rows: Iterable[dict[str, object]] = (asdict(clip) for clip in clips)
    columns = list(FIELDS)
    if parts is not None:
        columns.append("part")
        rows = ({**row, "part": part} for row, part in zip(rows, parts, strict=True))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def write_manifest(path: Path, clips: Sequence[Clip], *, parts: Sequence[str] | None = None) -> None:
    """Write clips as CSV, one row a clip in the order given, with a last column ``part`` when `parts` is given.

    Raises:
        CorpusError: the file cannot be written; nothing is left behind.
    """
    try:
        with (
            whole(path) as partial,
            partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
        ):
            write_rows(file, clips, parts=parts)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be written ({error.strerror}); check the folder") from error


def read_manifest(path: Path) -> list[Clip]:
    """Read what `write_manifest` wrote; a column ``part`` is ignored.

    Raises:
        CorpusError: the file is missing, has no such columns or a row that cannot be read; names the row.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            missing = sorted(set(FIELDS).difference(reader.fieldnames or ()))
            if missing:
                raise CorpusError(f"{path}: no manifest, it lacks the columns {', '.join(missing)}; {_REMEDY}")
            return [_clip(path, number, row) for number, row in enumerate(reader, start=2)]
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(f"{path}: cannot be read as a manifest ({reason}); {_REMEDY}") from error


def _clip(path: Path, number: int, row: dict[str, str]) -> Clip:
    values = {name: row[name] or "" for name in FIELDS}
    empty = [name for name in ("clip_id", "path", "corpus", "emotion") if not values[name]]
    if empty:
        raise CorpusError(f"{path}: row {number}: column {empty[0]} is empty; {_REMEDY}")
    for name in ("sha256", "source_sha256"):  # files of the cache are called by them
        if values[name] and not _HASH.fullmatch(values[name]):
            raise CorpusError(f"{path}: row {number}: column {name}: {values[name][:80]!r} is no hash; {_REMEDY}")
    try:
        duration_s = float(row["duration_s"])
    except (TypeError, ValueError):
        duration_s = -1.0
    if not 0 <= duration_s < math.inf:
        raise CorpusError(f"{path}: row {number}: column duration_s: {row['duration_s']!r} is no length; {_REMEDY}")
    return Clip(**{**values, "duration_s": duration_s})  # type: ignore[arg-type]
