"""A gallery on disk: images and arrays in ``part/emotion/clip`` folders, and the JSON that says what they are."""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emogram.corpora.clip import Clip
from emogram.errors import TrainingError
from emogram.pictures.scaling import Spec
from emogram.training.run_folder import is_free, read_json, write_text
from emogram.writing import whole

DESCRIPTION = "render.json"
"""Written before the first picture: whose folder it is, and how its values are scaled."""

LIST = "clips.csv"
"""A row a clip; written last, so that it is there means that the gallery is complete."""

FORMATS = {"png": "images", "npy": "arrays"}
"""The folder of each format. Two trees, since what reads folders of images stumbles over other files."""

_COLUMNS = ("file", "part", "emotion", "clip_id", "corpus", "speaker", "sex", "duration_s")
_LONGEST = 150
_SAFE = re.compile(r"[^\W_][\w -]{0,59}")
"""What an emotion's folder may be called as it is: no separators, no dots."""


@dataclass(frozen=True)
class Item:
    """A clip with its place: ``part/emotion/name`` below each format's folder."""

    clip: Clip
    part: str
    name: str

    @property
    def place(self) -> str:
        """Path below a format's folder, without suffix."""
        return f"{self.part}/{folder_of(self.clip.emotion)}/{self.name}"

    def path(self, folder: Path, kind: str) -> Path:
        """The file of one format."""
        return folder / FORMATS[kind] / f"{self.place}.{kind}"


def name_items(rows: Sequence[tuple[Clip, str]]) -> list[Item]:
    """A file name for every clip, from its corpus and stem; two that would get the same are told apart by a hash."""
    plain = [_plain(clip.clip_id) for clip, _ in rows]
    counts = Counter(name.lower() for name in plain)
    items = []
    for (clip, part), name in zip(rows, plain, strict=True):
        ambiguous = counts[name.lower()] > 1 or len(name) > _LONGEST
        items.append(Item(clip, part, f"{name[:_LONGEST]}-{_mark(clip.clip_id)}" if ambiguous else name))
    return items


def folder_of(emotion: str) -> str:
    """The name of an emotion's folder: the emotion itself, unless a manifest calls it what no folder should be called."""
    return emotion if _SAFE.fullmatch(emotion) else f"{_plain(emotion)[:_LONGEST]}-{_mark(emotion)}"


def claim(folder: Path, key: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The description of a gallery that was begun with the same settings and clips, or None for a free folder.

    Raises:
        TrainingError: the folder holds something else, which was not touched; says which setting differs.
    """
    path = folder / DESCRIPTION
    if not path.exists():
        if not is_free(folder):
            raise TrainingError(f"{folder}: is not empty and holds no pictures of emogram; choose another folder")
        return None
    found = read_json(path, remedy="choose another folder")
    if found.get("key") != key:
        raise TrainingError(f"{folder}: holds pictures of {_difference(found, settings)}; choose another folder")
    return found


def make_folders(folder: Path, items: Sequence[Item], formats: Sequence[str], emotions: Sequence[str]) -> None:
    """Every part has a folder for every emotion, also one without clips: what numbers classes by folders agrees then."""
    for kind in formats:
        for part in {item.part for item in items}:
            for emotion in emotions:
                (folder / FORMATS[kind] / part / folder_of(emotion)).mkdir(parents=True, exist_ok=True)


def write_image(path: Path, image: npt.NDArray[np.unsignedinteger[Any]]) -> None:
    """A lossless PNG, whole or not at all."""
    from PIL import Image  # noqa: PLC0415 - only images need it

    with whole(path) as partial:
        Image.fromarray(image).save(partial, format="PNG")


def write_array(path: Path, spec: Spec) -> None:
    """A NumPy file of float32 [C, F, N], whole or not at all."""
    with whole(path) as partial, partial.open("wb") as file:
        np.save(file, spec.astype("<f4"), allow_pickle=False)


def write_list(folder: Path, items: Sequence[Item]) -> None:
    """The table of all clips, with what file names do not tell."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for item in items:
        clip = item.clip
        table.writerow(
            [item.place, item.part, clip.emotion, clip.clip_id, clip.corpus, clip.speaker, clip.sex, clip.duration_s]
        )
    write_text(folder / LIST, text.getvalue().encode(errors="backslashreplace").decode())


def _plain(text: str) -> str:
    """Letters, digits and a few signs, which every file system and every reader of paths takes."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "_", text.replace("/", "-")).lstrip("._") or "clip"


def _mark(text: str) -> str:
    """Tells names apart that are plainly alike."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:10]


def _difference(found: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    theirs, ours = _flat(found.get("settings", {})), _flat(settings)
    for field in [*ours, *theirs]:
        if theirs.get(field) != ours.get(field):
            return f"another {field} ({theirs.get(field)}, not {ours.get(field)})"
    return "other clips, or of another version of emogram"


def _flat(values: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(values, dict):
        return {prefix: values}
    flat: dict[str, Any] = {}
    for field, value in values.items():
        flat.update(_flat(value, f"{prefix}.{field}" if prefix else str(field)))
    return flat
