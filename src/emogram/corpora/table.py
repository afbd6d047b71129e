"""One's own recordings in a CSV table: ``path`` and ``emotion``, and where known ``speaker`` and the rest.

Paths are relative to the table, or absolute. Separators may be commas, semicolons or tabs. Every row is checked before
anything is read, and a bad one is an error that names the row and the column.
"""

import csv
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.folder import own_name
from emogram.corpora.own_labels import SYNONYMS, label_table, mapping_remedy
from emogram.errors import CorpusError

REQUIRED = ("path", "emotion")

_SEXES = {"": "", "f": "female", "female": "female", "m": "male", "male": "male"}
_KINDS = {"": "speech", "speech": "speech", "song": "song"}


def find(table: Path, labels: Mapping[str, str]) -> list[Clip]:
    """All clips of a table; see the module for its columns.

    Args:
        table: the CSV file, UTF-8.
        labels: the user's own label map, added to `SYNONYMS`.

    Raises:
        CorpusError: no table, no such columns, or a bad row; names the row and the column.
    """
    table = table.absolute()
    emotions = label_table(labels)
    name = own_name(table.stem)
    clips: dict[str, Clip] = {}
    rows: dict[str, int] = {}
    for number, row in _rows(table):
        clip = _clip(table, number, row, emotions, name)
        if clip.clip_id in clips:
            raise _bad(table, number, "path", f"the same clip as row {rows[clip.clip_id]}", "remove one of the two")
        clips[clip.clip_id] = clip
        rows[clip.clip_id] = number
    return [clips[clip_id] for clip_id in sorted(clips)]


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    if table.is_dir():
        raise CorpusError(f"{table}: is a folder, not a table; give the CSV file, or use the corpus name folder")
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=header.count), strict=True)
            columns = [column.strip().lower() for column in next(reader, [])]
            missing = [column for column in REQUIRED if column not in columns]
            if missing:
                known = f"its columns are {', '.join(columns)}" if any(columns) else "it has no columns"
                raise CorpusError(f"{table}: the column {missing[0]!r} is missing ({known}); add it, or rename one")
            return [(reader.line_num, _row(table, reader.line_num, columns, cells)) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(f"{table}: cannot be read as CSV ({reason}); save it as UTF-8 CSV") from error


def _row(table: Path, number: int, columns: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        problem = f"{len(cells)} cells for {len(columns)} columns"
        raise _bad(table, number, columns[min(len(cells), len(columns)) - 1], problem, "quote cells with separators")
    return {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}


def _clip(table: Path, number: int, row: Mapping[str, str], emotions: Mapping[str, str], name: str) -> Clip:
    label = row["emotion"]
    if label.lower() not in emotions:
        problem = f"{label!r} is no known emotion" if label else "it is empty"
        raise _bad(table, number, "emotion", problem, f"correct it, or {mapping_remedy(label)}")
    if row.get("sex", "").lower() not in _SEXES:
        raise _bad(table, number, "sex", f"{row['sex']!r} is not female, male or empty", "correct it")
    if row.get("kind", "").lower() not in _KINDS:
        raise _bad(table, number, "kind", f"{row['kind']!r} is not speech, song or empty", "correct it")
    path = _audio(table, number, row["path"])
    relative = path.relative_to(table.parent) if path.is_relative_to(table.parent) else path.relative_to(path.anchor)
    speaker = re.sub(r"\s+", "_", row.get("speaker", ""))
    return Clip(
        clip_id=f"{name}/{relative.with_suffix('').as_posix()}",
        path=str(path),
        corpus=name,
        speaker=f"{name}-{speaker}" if speaker else "",
        sex=_SEXES[row.get("sex", "").lower()],
        emotion=emotions[label.lower()],
        raw_label=label,
        intensity=row.get("intensity", ""),
        text=row.get("text", ""),
        take=row.get("take", ""),
        age=row.get("age", ""),
        kind=_KINDS[row.get("kind", "").lower()],
    )


def _audio(table: Path, number: int, cell: str) -> Path:
    try:
        path = Path(os.path.normpath(Path(table.parent, cell)))
        if cell and path.is_file():
            return path
    except (OSError, ValueError):  # too long a name, or one with a null byte
        pass
    raise _bad(
        table, number, "path", f"no file {cell!r}" if cell else "it is empty", f"give it relative to {table.parent}"
    )


def _bad(table: Path, number: int, column: str, problem: str, remedy: str) -> CorpusError:
    return CorpusError(f"{table}: row {number}, column {column}: {problem}; {remedy}")


CSV = Corpus(
    name="csv",
    title="your own recordings, listed in a CSV table (path, emotion, and optionally speaker …)",
    licence="yours",
    citation="",
    languages=(),
    labels=SYNONYMS,
    address="",
    example="calls.csv",
    find=partial(find, labels={}),
    find_labelled=find,
)
