"""A table as rows of Markdown cells, and how its columns are set."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        header: of each column, Markdown.
        rows: cells, Markdown, each as long as the header.
        align: of each column, ``l`` or ``r``.
        strong: places of the rows that stand out.
        wide: place of the column that takes the room that is left, or None where all are as wide as their text.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    strong: frozenset[int] = field(default=frozenset())
    wide: int | None = None
