"""onnxruntime-web from a folder of the user's own."""

from pathlib import Path

import pytest

from emogram.errors import ConfigurationError
from emogram.server import browser_runtime


def _unpacked(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in (*browser_runtime.FILES, "ort.webgpu.min.mjs"):
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize("within", [".", "dist", "package/dist"])
def test_what_npm_unpacked_is_found_and_only_what_the_page_loads_is_served(tmp_path: Path, within: str) -> None:
    place = _unpacked(tmp_path / "runtime" / within)
    served = browser_runtime.files(tmp_path / "runtime")
    assert sorted(served) == sorted(f"/vendor/onnxruntime-web/{name}" for name in browser_runtime.FILES)
    assert {path.resolve().parent for path in served.values()} == {place.resolve()}


def test_without_a_folder_nothing_is_served() -> None:
    assert browser_runtime.files(None) == {}


def test_a_folder_without_it_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="npm pack onnxruntime-web"):
        browser_runtime.files(tmp_path)
