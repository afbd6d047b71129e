"""A table as rows of Markdown cells, and how its columns are set."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LONG, LONGEST = 24, 44
"""Rows above which a table is set small, and rows that fit on a page even so."""

WIDEST = 7
"""Columns above which a table is set small."""


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        header: of each column, Markdown.
        rows: cells, Markdown, each as long as the header.
        align: of each column, ``l`` or ``r``.
        strong: places of the rows that stand out.
        wide: columns that share the room that is left, each with its share; others are as wide as their text.
        breaks: may go on over the page, because its rows are high.
        floats: may be moved to the top or bottom of a page.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    strong: frozenset[int] = field(default=frozenset())
    wide: Mapping[int, float] = field(default_factory=dict)
    breaks: bool = False
    floats: bool = False

    @property
    def is_small(self) -> bool:
        """Whether it is set small."""
        return len(self.rows) > LONG or len(self.header) > WIDEST

    @property
    def may_break(self) -> bool:
        """Whether it may go on over the page."""
        return self.breaks or len(self.rows) > LONGEST
