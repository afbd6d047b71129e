"""Unpacking a stranger's zip file: inside its folder, under limits, whole or not at all."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from emogram.errors import CorpusError

MAX_BYTES = 8 * 2**30
MAX_FILES = 50_000


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
    """Unpack a zip file into a new folder, which appears only once it is complete.

    Args:
        archive: the zip file.
        folder: where to; must not exist yet.
        max_bytes: the most that its files may hold by its own account, beyond which none is unpacked.
        max_files: the most entries that it may have.

    Raises:
        CorpusError: no zip file, damaged, encrypted, over a limit, or with an entry that is a link or leads out of the
            folder. Nothing is left behind.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        content = Path(temporary, "content")
        try:
            with zipfile.ZipFile(archive) as opened:
                entries = opened.infolist()
                _check(archive, entries, max_bytes, max_files)
                _copy(opened, entries, content)
            content.replace(folder)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise CorpusError(f"{archive}: is no zip file that can be read ({error}); download it again") from error
        except OSError as error:
            raise CorpusError(
                f"{archive}: cannot be unpacked ({error.strerror}: {error.filename}); make room"
            ) from error


def _check(archive: Path, entries: Sequence[zipfile.ZipInfo], max_bytes: int, max_files: int) -> None:
    if len(entries) > max_files:
        raise CorpusError(f"{archive}: has {len(entries)} entries, more than {max_files}; do not trust it")
    if sum(entry.file_size for entry in entries) > max_bytes:
        raise CorpusError(f"{archive}: unpacks to more than {max_bytes} bytes; do not trust it")
    for entry in entries:
        name = entry.filename
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or PureWindowsPath(name).drive:
            raise CorpusError(f"{archive}: its entry {name!r} leads out of the folder; do not trust it")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise CorpusError(f"{archive}: its entry {name!r} is no file but a link or device; do not trust it")


def _copy(opened: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    folder.mkdir()
    for entry in entries:
        target = folder / entry.filename
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file)


def free_bytes(folder: Path) -> int:
    """What is left on the disk of a folder that may not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
