"""Downloads from a server on this machine that breaks off, resumes, ignores ranges and sends something else."""

import hashlib
import io
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from emogram.corpora import download, retrieval, scan, synthetic
from emogram.corpora.addresses import ARCHIVES, Archive
from emogram.errors import ConfigurationError, CorpusError, MissingExtraError


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("wav/03a01Wa.wav", np.random.default_rng(0).bytes(300_000))
    return content.getvalue()


CONTENT = _archive()
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@dataclass
class Script:
    """What the server does: the bytes after which each connection breaks, and whether it knows ranges."""

    content: bytes = CONTENT
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    shift: int = 0
    statuses: list[int] = field(default_factory=list)
    states_length: bool = True
    requests: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    script: Script

    def do_GET(self) -> None:
        script, wanted = self.script, self.headers.get("Range", "")
        script.requests.append(wanted)
        if script.statuses and (status := script.statuses.pop(0)) != 200:
            self.send_error(status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and script.ranges else 0
        size = len(script.content)
        if start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start + script.shift}-{size - 1}/{size}")
        if script.states_length:
            self.send_header("Content-Length", str(size - start))
        self.end_headers()
        end = start + script.breaks.pop(0) if script.breaks else size
        self.wfile.write(script.content[start:end])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Script]]:
    """Starts the server with a script, and makes it the address of EmoDB."""
    servers: list[ThreadingHTTPServer] = []

    def start(checksum: str | None = MD5, **options: object) -> Script:
        script = Script(**options)  # type: ignore[arg-type]
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Scripted", (Handler,), {"script": script}))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/emodb.zip"
        archive = Archive(url=url, folder="EmoDB", size_bytes=len(CONTENT), checksum=checksum)
        monkeypatch.setitem(ARCHIVES, "emodb", (archive,))
        return script

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def resumed(script: Script) -> list[str]:
    """Where each request began, rounded up to 50 kB: a break costs less than a block of 16 KiB."""
    starts = [int(wanted.removeprefix("bytes=").rstrip("-") or 0) for wanted in script.requests]
    assert all(-start % 50_000 < 2**14 for start in starts)
    return [str(start + -start % 50_000) if start else "" for start in starts]


def test_an_archive_is_fetched_unpacked_and_removed(serve: Callable[..., Script], tmp_path: Path) -> None:
    script = serve()
    seen: list[tuple[int, int]] = []
    folders = download("emodb", tmp_path / "new", progress=lambda done, total: seen.append((done, total)), wait_s=0)
    assert folders == [tmp_path / "new" / "EmoDB"]
    assert left(tmp_path) == ["new/EmoDB/wav/03a01Wa.wav"]
    assert script.requests == [""]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_is_there_is_left_as_it_is(serve: Callable[..., Script], tmp_path: Path) -> None:
    script = serve()
    (tmp_path / "EmoDB").mkdir()
    assert download("emodb", tmp_path) == [tmp_path / "EmoDB"]
    assert script.requests == []


def test_a_broken_download_resumes_where_it_stopped(serve: Callable[..., Script], tmp_path: Path) -> None:
    script = serve(breaks=[100_000, 50_000])
    download("emodb", tmp_path, wait_s=0)
    assert resumed(script) == ["", "100000", "150000"]
    assert left(tmp_path) == ["EmoDB/wav/03a01Wa.wav"]


def test_it_resumes_in_a_later_run_too(serve: Callable[..., Script], tmp_path: Path) -> None:
    serve(breaks=[100_000, 0, 0, 0, 0])
    with pytest.raises(
        CorpusError,
        match=r"broke off \(the connection was cut\); 0\.1 MB are here, run the same command again to resume",
    ):
        download("emodb", tmp_path, wait_s=0)
    assert left(tmp_path) == ["EmoDB.zip.partial"]
    script = serve()
    download("emodb", tmp_path, wait_s=0)
    assert resumed(script) == ["100000"]


@pytest.mark.parametrize("states_length", [True, False])
def test_a_server_that_ignores_ranges_starts_anew(
    serve: Callable[..., Script], tmp_path: Path, states_length: bool
) -> None:
    (tmp_path / "EmoDB.zip.partial").write_bytes(b"x" * 1000)
    script = serve(ranges=False, states_length=states_length)
    download("emodb", tmp_path, wait_s=0)
    assert script.requests == ["bytes=1000-"]
    assert left(tmp_path) == ["EmoDB/wav/03a01Wa.wav"]


def test_a_server_that_resumes_elsewhere_starts_anew(serve: Callable[..., Script], tmp_path: Path) -> None:
    script = serve(breaks=[100_000], shift=7)
    download("emodb", tmp_path, wait_s=0)
    assert resumed(script) == ["", "100000", ""]


def test_a_download_that_was_all_there_is_not_fetched_again(serve: Callable[..., Script], tmp_path: Path) -> None:
    (tmp_path / "EmoDB.zip.partial").write_bytes(CONTENT)
    script = serve()
    download("emodb", tmp_path, wait_s=0)
    assert script.requests == [f"bytes={len(CONTENT)}-"]
    assert left(tmp_path) == ["EmoDB/wav/03a01Wa.wav"]


def test_a_partial_file_longer_than_the_archive_starts_anew(serve: Callable[..., Script], tmp_path: Path) -> None:
    (tmp_path / "EmoDB.zip.partial").write_bytes(CONTENT + b"x")
    script = serve()
    download("emodb", tmp_path, wait_s=0)
    assert script.requests == [f"bytes={len(CONTENT) + 1}-", ""]


@pytest.mark.parametrize("statuses", [[503, 429], [500, 502, 504]])
def test_a_busy_server_is_asked_again(serve: Callable[..., Script], tmp_path: Path, statuses: list[int]) -> None:
    script = serve(statuses=list(statuses))
    download("emodb", tmp_path, wait_s=0)
    assert len(script.requests) == len(statuses) + 1


def test_a_server_that_has_it_no_more_is_told_at_once(serve: Callable[..., Script], tmp_path: Path) -> None:
    script = serve(statuses=[404])
    with pytest.raises(CorpusError, match=r"/emodb\.zip: the server answered 404 Not Found"):
        download("emodb", tmp_path, wait_s=0)
    assert len(script.requests) == 1
    assert left(tmp_path) == []


def test_no_server_at_all_is_an_error_of_one_line(
    serve: Callable[..., Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    archive = Archive(url="http://127.0.0.1:1/emodb.zip", folder="EmoDB", checksum=MD5)
    monkeypatch.setitem(ARCHIVES, "emodb", (archive,))
    with pytest.raises(CorpusError, match=r"http://127\.0\.0\.1:1/emodb\.zip: broke off \(no connection\)") as caught:
        download("emodb", tmp_path, wait_s=0)
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []


def test_a_wrong_checksum_leaves_nothing(serve: Callable[..., Script], tmp_path: Path) -> None:
    serve(content=CONTENT[:-1] + b"!")
    with pytest.raises(CorpusError, match=f"another checksum than {MD5}, and was removed; run the command again"):
        download("emodb", tmp_path, wait_s=0)
    assert left(tmp_path) == []


def test_without_a_checksum_a_damaged_archive_is_still_refused(serve: Callable[..., Script], tmp_path: Path) -> None:
    serve(checksum=None, content=CONTENT[:1000] + bytes(1000) + CONTENT[2000:])
    with pytest.raises(CorpusError, match="is no zip file that can be read"):
        download("emodb", tmp_path, wait_s=0)
    assert left(tmp_path) == []


def test_a_server_that_never_ends_is_cut_off(
    serve: Callable[..., Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "MAX_DOWNLOAD_BYTES", 200_000)
    serve(states_length=False)
    with pytest.raises(CorpusError, match="sends more than 200000 bytes"):
        download("emodb", tmp_path, wait_s=0)
    assert left(tmp_path) == []


def test_a_full_disk_is_told_before_anything_is_fetched(
    serve: Callable[..., Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = serve()
    monkeypatch.setattr(retrieval, "free_bytes", lambda folder: 1_000_000)
    with pytest.raises(CorpusError, match="0 MiB free, about 1 MiB needed; choose another disk"):
        download("emodb", tmp_path)
    assert script.requests == []


def test_without_pooch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"emogram\[train\]"):
        download("emodb", tmp_path)


def test_a_corpus_without_an_address_says_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="savee: cannot be downloaded; register at http"):
        download("savee", tmp_path)
    with pytest.raises(ConfigurationError, match="did you mean 'savee'"):
        download("save", tmp_path)


def test_synthetic_voices_are_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "render", partial(synthetic.render, speakers=2, takes=1))
    assert download("synthetic", tmp_path) == [tmp_path]
    assert len(scan("synthetic", tmp_path)) == 48
