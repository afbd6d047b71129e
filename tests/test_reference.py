"""The reference: the pages in the repository are those that the code makes, and hold what is to be known."""

from pathlib import Path

import pytest

from docs.reference.pages import pages
from emogram.cli.application import HOMES
from emogram.training.schema import of_field
from emogram.training.variants import VARIANTS

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "make reference"


def test_no_page_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PAGES)


@pytest.mark.parametrize("kind", VARIANTS)
def test_every_variant_has_a_section_with_all_its_fields(kind: str) -> None:
    page = PAGES[f"{kind}.md"]
    for name, variant in VARIANTS[kind].items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert variant.description.split("\n")[0].replace("``", "`") in section
        for field, info in variant.settings.model_fields.items():
            assert field == "name" or f"| `{field}` | " in section
            assert of_field(info).annotation is not None


def test_every_command_has_a_section() -> None:
    for command in HOMES:
        assert f"\n## emogram {command}" in PAGES["command-line.md"]
    assert "`--corpus`, `-c` `NAME=PATH`" in PAGES["command-line.md"]


def test_the_configuration_names_every_field_of_the_fit() -> None:
    for field in ("fit.epochs", "fit.gradient_clip", "fit.stability.explosion", "split.name", "runtime.cache"):
        assert f"| `{field}` | " in PAGES["configuration.md"]
