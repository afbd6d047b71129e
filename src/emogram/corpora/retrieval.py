"""Downloading corpora: resumed where they broke off, compared with their checksum, unpacked whole or not at all."""

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emogram.corpora import synthetic
from emogram.corpora.addresses import ARCHIVES, STEPS, Archive
from emogram.corpora.archives import free_bytes, unpack
from emogram.corpora.registry import get
from emogram.errors import CorpusError, MissingExtraError

if TYPE_CHECKING:
    from requests import RequestException, Response

MAX_DOWNLOAD_BYTES = 4 * 2**30
"""No archive here comes near; a server that sends more is cut off."""

_VAIN_ATTEMPTS, _ATTEMPTS = 4, 100
_TIMEOUT_S = (15, 60)
_BLOCK_BYTES = 2**14  # what of a block has arrived when the connection breaks is lost
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and those expected in all, 0 where the server does not say."""


def download(
    name: str, directory: str | os.PathLike[str], *, progress: Progress | None = None, wait_s: float = 2.0
) -> list[Path]:
    """Download and unpack a corpus, each archive into a folder of its own; a folder that is there is left as it is.

    Called again after a failure it goes on where it stopped: what has arrived waits in ``….zip.partial``. Synthetic
    voices are rendered instead.

    Args:
        name: a name in `CORPORA`.
        directory: where to; made if needed.
        progress: called as bytes arrive.
        wait_s: pause before a broken connection is tried again, doubled each time.

    Returns:
        the folders.

    Raises:
        ConfigurationError: no such corpus.
        CorpusError: the corpus has no public address (names the first step to it), the server fails, the disk is full,
            the checksum differs, or the archive is damaged or unsafe.
        MissingExtraError: the extra ``train`` is not installed.
    """
    get(name)
    if name == synthetic.SYNTHETIC.name:
        synthetic.render(Path(directory))
        return [Path(directory).absolute()]
    if name not in ARCHIVES:
        raise CorpusError(f"{name}: cannot be downloaded; {STEPS[name][0]}")
    try:
        import pooch  # noqa: F401, PLC0415
    except ImportError:
        raise MissingExtraError("emogram corpus download", "train") from None
    return [_fetch_archive(archive, Path(directory).absolute(), progress, wait_s) for archive in ARCHIVES[name]]


def fetch(url: str, checksum: str | None, file: Path, *, progress: Progress | None = None, wait_s: float = 2.0) -> Path:
    """Download a file, going on where a download broke off; one that is there and has the checksum is left as it is.

    Args:
        url: of the file.
        checksum: ``md5:…`` or ``sha256:…``, None where nobody states one.
        file: where to; its folder is made if needed.
        progress: called as bytes arrive.
        wait_s: pause before a broken connection is tried again, doubled each time.

    Returns:
        the file.

    Raises:
        CorpusError: the server fails, the disk is full, or the checksum differs.
    """
    import pooch  # noqa: PLC0415

    file.parent.mkdir(parents=True, exist_ok=True)
    downloader = _Downloader(file.with_name(f"{file.name}.partial"), progress, wait_s)
    try:
        with _quiet(pooch.get_logger()):
            pooch.retrieve(url, checksum, fname=file.name, path=file.parent, downloader=downloader)
    except ValueError as error:  # how pooch tells that the checksum differs; the file is gone by then
        problem = f"what arrived has another checksum than {checksum}, and was removed"
        raise CorpusError(f"{url}: {problem}; run the command again, or fetch it by hand") from error
    return file


def _fetch_archive(archive: Archive, directory: Path, progress: Progress | None, wait_s: float) -> Path:
    folder = directory / archive.folder
    if folder.exists():
        return folder
    if 4 * archive.size_bytes > (free := free_bytes(directory)):  # packed and unpacked
        needed = 4 * archive.size_bytes // 2**20
        raise CorpusError(f"{directory}: {free // 2**20} MiB free, about {needed} MiB needed; choose another disk")
    file = fetch(archive.url, archive.checksum, directory / f"{archive.folder}.zip", progress=progress, wait_s=wait_s)
    try:
        unpack(file, folder)
    except CorpusError:
        file.unlink()  # else the next run would unpack the same damaged file
        raise
    file.unlink()
    return folder


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


class _BrokenOffError(Exception):
    """The connection ended too early; the download can be resumed."""


@dataclass(slots=True)
class _Downloader:
    """What pooch calls to fetch a file. Pooch itself begins anew after every break; this resumes from `partial`."""

    partial: Path
    progress: Progress | None
    wait_s: float

    def __call__(self, url: str, output_file: str, pooch: object, check_only: bool = False) -> None:
        """Fetch `url`, in as many attempts as it takes while bytes arrive, and hand it over as `output_file`."""
        del pooch, check_only
        vain = 0
        for attempt in range(_ATTEMPTS):
            before = self._size()
            try:
                self._attempt(url)
                self.partial.replace(output_file)
                return
            except _BrokenOffError as error:
                vain = 0 if self._size() > before else vain + 1
                if vain == _VAIN_ATTEMPTS or attempt == _ATTEMPTS - 1:
                    problem = f"broke off ({error}); {self._size() / 1e6:.1f} MB are here"
                    raise CorpusError(f"{url}: {problem}, run the same command again to resume") from error
                time.sleep(self.wait_s * 2**vain)
            except OSError as error:
                raise CorpusError(f"{self.partial}: cannot be written ({error.strerror}); make room") from error

    def _size(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _attempt(self, url: str) -> None:
        import requests  # noqa: PLC0415

        offset = self._size()
        headers = {"Accept-Encoding": "identity", "User-Agent": "emogram"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
                self._receive(url, response, offset)
        except requests.RequestException as error:
            raise _BrokenOffError(_reason(error)) from error

    def _receive(self, url: str, response: "Response", offset: int) -> None:
        status = response.status_code
        if status == 416:
            self._settle(response, offset)
            return
        if status in _TRY_AGAIN:
            raise _BrokenOffError(f"the server answered {status}")
        if status not in (200, 206):
            raise CorpusError(
                f"{url}: the server answered {status} {response.reason}; try later, or see the corpus's page"
            )
        resumed = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if status == 206 and (resumed is None or int(resumed[1]) != offset):
            self.partial.unlink(missing_ok=True)
            raise _BrokenOffError("the server resumed at the wrong place")
        done = offset if status == 206 else 0
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else 0
        self._store(url, response, done, total)

    def _settle(self, response: "Response", offset: int) -> None:
        """The server has nothing beyond `offset`: either all is here, or what is here is something else."""
        if response.headers.get("Content-Range") != f"bytes */{offset}":
            self.partial.unlink()
            raise _BrokenOffError("the file at the address has changed")

    def _store(self, url: str, response: "Response", done: int, total: int) -> None:
        blocks: Iterator[Any] = response.iter_content(_BLOCK_BYTES)
        with self.partial.open("ab" if done else "wb") as file:
            for block in blocks:
                done += len(block)
                if done > MAX_DOWNLOAD_BYTES:
                    self.partial.unlink()
                    raise CorpusError(f"{url}: sends more than {MAX_DOWNLOAD_BYTES} bytes; do not trust it")
                file.write(block)
                if self.progress is not None:
                    self.progress(done, total)
        if total and done != total:
            raise _BrokenOffError(f"{done} of {total} bytes")


def _reason(error: "RequestException") -> str:
    """Why a connection failed, in a few words instead of the nested messages of three libraries."""
    import requests  # noqa: PLC0415

    if isinstance(error, requests.Timeout):
        return "the server stayed silent"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was not accepted"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return (
        "the connection was cut"
        if isinstance(error, requests.exceptions.ChunkedEncodingError)
        else type(error).__name__
    )
