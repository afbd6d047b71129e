"""Audio files in a folder tree, and clips recognised by their names."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from emogram.corpora.clip import Clip
from emogram.errors import AudioError, CorpusError, TooLongError

_FORMATS = "wav wave flac ogg oga opus mp3 aif aiff aifc au snd caf w64 rf64 sph m4a aac wma"
AUDIO_SUFFIXES: frozenset[str] = frozenset(f".{name}" for name in _FORMATS.split())
"""What counts as audio while a folder is searched. Corpora know their clips by the stem: a suffix never decides more."""

_LOSSY = frozenset({".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".wma"})


def audio_files(root: Path) -> list[Path]:
    """Every audio file under a folder: shallow paths first, then by name, the same on all machines.

    Hidden files (``.DS_Store``, ``._name.wav``) and ``__MACOSX`` are passed over. Links are followed, but no folder is
    entered twice, so that a link to a parent ends; pipes and devices are not opened.

    Raises:
        CorpusError: the folder is missing, is no folder or cannot be listed.
    """
    root = root.absolute()
    if not root.is_dir():
        remedy = "unpack it and give the folder" if root.is_file() else "give the folder that holds the audio"
        raise CorpusError(f"{root}: {'is not a folder' if root.exists() else 'no such folder'}; {remedy}")
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    folders, links = [root], list[Path]()
    while folders or links:
        # Real folders before links: which of two ways to a folder names its clips must not hang on the listing order.
        folder = folders.pop() if folders else links.pop(0)
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in _entries(folder):
            path = folder / entry.name
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(path)
            elif path.suffix.lower() in AUDIO_SUFFIXES and entry.is_file():
                found.append(path)
    return sorted(found, key=lambda path: (len(path.parts), path.as_posix()))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            entries = [entry for entry in listing if not entry.name.startswith(".") and entry.name != "__MACOSX"]
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error
    return sorted(entries, key=lambda entry: entry.name)


def clips_by_name(root: Path, read: Callable[[Path], Clip | None]) -> list[Clip]:
    """A row for every audio file under `root` that `read` recognises, in the order of `by_clip`."""
    return by_clip(clip for path in audio_files(root) if (clip := read(path)) is not None)


def by_clip(clips: Iterable[Clip]) -> list[Clip]:
    """The rows sorted by ``clip_id``, and where several files are one clip, the one that counts first.

    Bundles repeat whole folders, and CREMA-D comes as WAV and MP3: lossless files go before lossy ones, else the order
    of `audio_files` stays.
    """
    return sorted(clips, key=lambda clip: (clip.clip_id, Path(clip.path).suffix.lower() in _LOSSY))


def of_clip(error: AudioError, source: str) -> AudioError:
    """What is wrong with the file of a clip, with what can be done about it where no longer recordings are taken."""
    remedy = "cut it into parts, or leave it out" if isinstance(error, TooLongError) else error.remedy
    return AudioError(source, error.problem, remedy)
