"""The page's files: what they are said to be, when they are sent, and what they may load."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emogram.server import page
from tests.server.running import running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page")
    (path / "vendor").mkdir()
    for name in ("index.html", "app.js", "style.css", "vendor/ort.wasm", "vendor/ort.mjs", "notes.py", ".hidden"):
        (path / name).write_text(name)
    return path


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "FOLDER", folder)
        with running(log=False, token="long-enough") as one:
            yield one.client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/vendor/ort.wasm", "application/wasm"),
        ("/vendor/ort.mjs", "text/javascript; charset=utf-8"),
    ],
)
def test_files_have_their_types_and_tags(client: httpx.Client, path: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.text == (path[1:] or "index.html")
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(path).headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("path", ["/notes.py", "/.hidden", "/vendor", "/../page.py", "/vendor/%2e%2e/%2e%2e/x"])
def test_nothing_else_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path, headers={"Authorization": "Bearer long-enough"}).status_code == 404


def test_a_changed_file_has_another_tag(client: httpx.Client, folder: Path) -> None:
    tag = client.get("/app.js").headers["etag"]
    (folder / "app.js").write_text("changed")
    answer = client.get("/app.js", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.text) == (200, "changed")


def test_without_an_index_there_is_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.js").write_text("")
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    assert page.files() == {}
