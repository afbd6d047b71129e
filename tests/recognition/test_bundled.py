"""Models that come along: found by name, listed, and each a file that says what it is."""

import importlib
import sys
from pathlib import Path

import pytest

import emogram
from emogram.errors import ConfigurationError
from emogram.recognition import bundled
from emogram.recognition.model_file import MAX_CARD_CHARACTERS, ModelInfo
from tests.recognition.small_models import content, info


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two bundled models, and nothing named by the environment."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("large", "base", "abc"):
        (folder / f"{name}.onnx").write_bytes(content(name=name, card=f"{name}\nTRAINED ON nothing"))
    monkeypatch.setattr(bundled, "FOLDER", folder)
    monkeypatch.setattr(bundled, "COMPANIONS", ())
    monkeypatch.delenv("EMOGRAM_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_model_is_found_by_name_and_base_without_one(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(bundled.bundled()) == ["base", "abc", "large"]
    assert emogram.load().info.name == "base"
    assert emogram.load("large").info.name == "large"
    monkeypatch.setenv("EMOGRAM_MODEL", "large")
    assert emogram.load().info.name == "large"
    assert emogram.load().info.card == "large\nTRAINED ON nothing"


def test_a_package_of_its_own_brings_a_model(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (models / "large.onnx").unlink()
    monkeypatch.setattr(bundled, "COMPANIONS", ("emogram_large", "emogram_not_there"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *(entry for entry in sys.path if "site-packages" not in entry)])
    with pytest.raises(ConfigurationError, match=r"'large': none comes by that name \(pip install \./models/large"):
        emogram.load("large")
    package = tmp_path / "emogram_large"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "large.onnx").write_bytes(content(name="from the package"))
    importlib.invalidate_caches()
    assert emogram.load("large").info.name == "from the package"


def test_a_file_of_that_name_comes_first(models: Path) -> None:
    Path("large").write_bytes(content(name="mine"))
    assert emogram.load("large").info.name == "mine"


def test_a_folder_of_that_name_is_none(models: Path) -> None:
    for name in ("base", "large"):
        Path(name).mkdir()
    assert emogram.load().info.name == "base"
    assert emogram.load("large").info.name == "large"


def test_what_is_found_without_a_name_is_never_a_file_that_lies_about(models: Path) -> None:
    Path("base").write_bytes(content(name="mine"))
    assert emogram.load().info.name == "base"
    assert emogram.load("base").info.name == "mine"


def test_other_names_are_refused_with_what_there_is(models: Path) -> None:
    with pytest.raises(ConfigurationError, match="model 'huge': none comes by that name; choose base, abc, large"):
        emogram.load("huge")
    for path in models.glob("*"):
        path.unlink()
    with pytest.raises(ConfigurationError, match="--model FILE or EMOGRAM_MODEL=FILE"):
        emogram.load()


def test_the_card_travels_beside_the_fields_so_that_older_readers_pass_over_it() -> None:
    said = info(card="one\ntwo")
    metadata = said.to_metadata()
    assert metadata["emogram_card"] == "one\ntwo"
    assert "one" not in metadata["emogram"]
    assert ModelInfo.from_metadata(metadata) == said
    assert set(info().to_metadata()) == {"emogram"}


@pytest.mark.parametrize("card", ["\x1b[31mred", "x" * (MAX_CARD_CHARACTERS + 1), 7])
def test_a_card_is_plain_text(card: object) -> None:
    with pytest.raises(emogram.ModelError, match="card"):
        info(card=card)


def test_every_model_that_comes_along_says_what_it_is() -> None:
    licence = (bundled.FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    for name, path in bundled.bundled().items():
        said = emogram.load(path).info
        assert said.name == name
        assert said.licence.startswith("non-commercial")
        assert "MUST NOT BE USED" in said.card
        assert said.scores["speakers"] == "unseen"
        assert path.stat().st_size <= {"base": 6e6}.get(name, 25e6)
    assert "CC BY-NC-SA 4.0" in licence
