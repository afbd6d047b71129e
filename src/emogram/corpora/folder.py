"""One's own recordings in folders: a sub-folder per emotion, or per speaker and emotion in either order.

``angry/a.wav``, ``anna/angry/a.wav`` or ``angry/anna/a.wav``: which, is seen from where the emotions' names are. The
folder's own name stands for the corpus: in ``calls/anna/angry/a.wav`` it is ``calls``, the speaker ``calls-anna``. Where
no folder names a speaker, the speaker is unknown, and no speaker-disjoint split can be made.
"""

import re
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import audio_files, by_clip
from emogram.corpora.own_labels import SYNONYMS, label_table, mapping_remedy
from emogram.errors import CorpusError

OFFICIAL_NAMES = frozenset({"ravdess", "tess", "cremad", "savee", "emodb", "synthetic"})


def own_name(name: str) -> str:
    """The corpus name for one's own data, from its folder or table: lower case, and never that of a known corpus."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "own"
    return f"own-{slug}" if slug in OFFICIAL_NAMES else slug


def find(root: Path, labels: Mapping[str, str]) -> list[Clip]:
    """All clips under a folder; see the module for its layouts.

    Args:
        root: the folder.
        labels: the user's own label map, added to `SYNONYMS`.

    Raises:
        CorpusError: a file lies outside the layout, or its folder names no known emotion; names the folder.
    """
    root = root.absolute()
    table = label_table(labels)
    paths = [path.relative_to(root) for path in audio_files(root)]
    level = _emotion_level(paths, table)
    name = own_name(root.name)
    return by_clip(_clip(root, path, level, table, name) for path in paths)


def _emotion_level(paths: Collection[Path], table: Mapping[str, str]) -> int:
    """0 where the first folder names the emotion, 1 where the second does: whichever fits more files."""
    fits = [sum(_label(path, level) in table for path in paths) for level in (0, 1)]
    return int(fits[1] > fits[0])


def _label(path: Path, level: int) -> str:
    folders = path.parent.parts
    return folders[level].strip().lower() if level < len(folders) else ""


def _clip(root: Path, path: Path, level: int, table: Mapping[str, str], name: str) -> Clip:
    folders = path.parent.parts
    if level >= len(folders):
        layout = "one folder per emotion" if level == 0 else "speaker/emotion folders"
        raise CorpusError(f"{root / path}: lies outside the {layout} of {root}; move it into one, or away")
    label = folders[level]
    if label.strip().lower() not in table:
        raise CorpusError(
            f"{root.joinpath(*folders[: level + 1])}: {label!r} is no known emotion; rename the folder, "
            f"or {mapping_remedy(label)}"
        )
    others = folders[1:2] if level == 0 else folders[:1]
    speaker = re.sub(r"\s+", "_", others[0].strip()) if others else ""
    return Clip(
        clip_id=f"{name}/{path.with_suffix('').as_posix()}",
        path=str(root / path),
        corpus=name,
        speaker=f"{name}-{speaker}" if speaker else "",
        emotion=table[label.strip().lower()],
        raw_label=label,
    )


FOLDER = Corpus(
    name="folder",
    title="your own recordings, a folder per emotion or per speaker and emotion",
    licence="yours",
    citation="",
    languages=(),
    labels=SYNONYMS,
    address="",
    example="anna/angry/take-1.wav",
    find=partial(find, labels={}),
    find_labelled=find,
)
