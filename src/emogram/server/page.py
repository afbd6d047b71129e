"""The web page: files of the package, told apart by what they hold, under a strict policy of what they may load."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"

POLICY = "; ".join(
    (
        "default-src 'self'",
        # The option that recognises within the browser compiles WebAssembly.
        "script-src 'self' 'wasm-unsafe-eval'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Said here, because what the system says of ``.js`` and ``.wasm`` is not the same everywhere."""

_HEADERS = {
    "content-security-policy": POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    # Together with the opener policy of every answer these let WebAssembly use several threads.
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


def files() -> dict[str, Path]:
    """The files of the page by the path they are served under; ``/`` is `INDEX`."""
    folder = FOLDER
    found = {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }
    return {"/": folder / INDEX, **found} if f"/{INDEX}" in found else {}


def router() -> APIRouter:
    """A route for each file of the page. A path that is none of them is not looked for on disk."""
    routes = APIRouter(include_in_schema=False)
    for served, path in files().items():
        routes.add_api_route(served, serve_file(path), methods=["GET", "HEAD"])
    return routes


def unchanged(request: Request, tag: str) -> bool:
    """Whether the client has the version with this ETag."""
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return tag in known or "*" in known


def serve_file(path: Path) -> Callable[[Request], Response]:
    """An endpoint that gives a file under the page's policy."""

    def serve(request: Request) -> Response:
        tag = _tag(path, path.stat().st_mtime_ns)
        headers = {**_HEADERS, "etag": tag}
        if unchanged(request, tag):
            return Response(status_code=304, headers=headers)
        return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)

    return serve


@functools.lru_cache(maxsize=1024)
def _tag(path: Path, _: int) -> str:
    return f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'
