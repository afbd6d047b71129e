"""The works that a text cites, in the order of the alphabet, from ``references.yaml``."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from emogram.errors import ConfigurationError
from emogram.paper.markup import Marked, escape


@dataclass(frozen=True)
class Reference:
    """One work.

    Attributes:
        key: how templates call it.
        short: authors and year, as cited.
        full: as listed.
        link: where it is to be found.
    """

    key: str
    short: str
    full: str
    link: str


@cache
def bibliography() -> dict[str, Reference]:
    """Every work that can be cited, by key."""
    text = (resources.files("emogram.paper") / "references.yaml").read_text(encoding="utf-8")
    return {key: Reference(key, **fields) for key, fields in yaml.safe_load(text).items()}


class Citations:
    """Remembers what was cited."""

    def __init__(self) -> None:
        self.cited: set[str] = set()

    def cite(self, *keys: str) -> Marked:
        """Works in brackets, each a link to its entry.

        Raises:
            ConfigurationError: no such work.
        """
        for key in keys:
            if key not in bibliography():
                raise ConfigurationError(f"template: cites {key}, which references.yaml does not hold; add it there")
        self.cited |= set(keys)
        works = [f"[{escape(bibliography()[key].short)}](#ref-{key})" for key in keys]
        return Marked(f"({'; '.join(works)})")

    def listed(self) -> list[Reference]:
        """What was cited so far, by author."""
        return sorted((bibliography()[key] for key in self.cited), key=lambda reference: reference.full.lower())
