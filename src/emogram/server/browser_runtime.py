"""onnxruntime-web, from a folder of the user's own, for recognition within the browser. It does not come with emogram."""

from pathlib import Path

from fastapi import APIRouter

from emogram.errors import ConfigurationError
from emogram.server.page import serve_file

PREFIX = "/vendor/onnxruntime-web"

FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""What the page loads; other files of the folder are not served."""

_WITHIN = (".", "dist", "package/dist")
"""Where they may lie in the folder: it is what npm unpacks, or what is within."""


def files(folder: Path | None) -> dict[str, Path]:
    """The files by the path they are served under; none where there is no folder.

    Raises:
        ConfigurationError: the folder does not hold them.
    """
    if folder is None:
        return {}
    for place in (folder / within for within in _WITHIN):
        if all((place / name).is_file() for name in FILES):
            return {f"{PREFIX}/{name}": place / name for name in FILES}
    raise ConfigurationError(
        f"--browser-runtime: {folder} does not hold {FILES[0]}; run `npm pack onnxruntime-web`, unpack it and name its folder"
    )


def router(folder: Path | None) -> APIRouter:
    """A route for each of the files."""
    routes = APIRouter(include_in_schema=False)
    for served, path in files(folder).items():
        routes.add_api_route(served, serve_file(path), methods=["GET", "HEAD"])
    return routes
