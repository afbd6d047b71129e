"""The package as others get it: what the wheel holds, what the lock pins, what an import costs."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import emogram

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = {
    "base": PROJECT["dependencies"],
    "train": PROJECT["optional-dependencies"]["train"],
    "dev": PROJECT["optional-dependencies"]["dev"],
}


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_exact_versions_and_nothing_else(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_what_the_project_asks_for(name: str) -> None:
    locked = pins(name)
    for requirement in map(Requirement, LOCKS[name]):
        if requirement.name == "emogram":
            continue
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked to {version}: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_closed(name: str) -> None:
    locked = pins(name)
    missing = {
        f"{package} needs {requirement.name}"
        for package in locked
        for requirement in map(Requirement, importlib.metadata.requires(package) or ())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if canonicalize_name(requirement.name) not in {*locked, "pip"}
    }
    assert missing == set(), "make lock"


def test_locks_agree() -> None:
    base, train, dev = pins("base"), pins("train"), pins("dev")
    assert base.items() <= train.items() <= dev.items()


def test_base_has_no_laboratory() -> None:
    assert not {"torch", "pandas", "lightning", "matplotlib", "scipy", "librosa"} & pins("base").keys()


def test_lock_brings_no_cuda() -> None:
    assert [name for name in pins("dev") if name.startswith(("nvidia", "cuda", "triton"))] == []


def test_versions_agree() -> None:
    assert f"\nversion: {emogram.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the wheel, without those of the package's Python modules."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("emogram-*.whl"))) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_file_of_the_package(wheel: set[str]) -> None:
    package = ROOT / "src"
    files = {path.relative_to(package).as_posix() for path in (package / "emogram").rglob("*") if path.is_file()}
    expected = {file for file in files if "__pycache__" not in file}
    assert {"emogram/py.typed", "emogram/report/templates/report.html.jinja"} <= expected
    assert any(file.startswith("emogram/protocols/") and file.endswith(".json") for file in expected)
    assert expected - wheel == set()


def test_wheel_holds_the_package_and_its_licence_alone(wheel: set[str]) -> None:
    outside = {name for name in wheel if not name.startswith("emogram/")}
    folder = f"emogram-{emogram.__version__}.dist-info/"
    assert all(name.startswith(folder) for name in outside)
    assert f"{folder}licenses/LICENSE" in outside


def test_import_brings_nothing_along() -> None:
    heavy = "numpy torch onnxruntime soundfile typer pydantic scipy"
    code = f"import sys, emogram; print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_command_is_installed() -> None:
    command = Path(sys.executable).with_name("emogram")
    done = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"emogram {emogram.__version__}\n"


def test_commands_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
        assert named, name
        assert named <= targets, name


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert documents
    for document in documents:
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        missing = [link for link in links if not (document.parent / link).exists()]
        assert missing == [], document.name
