"""Blocks as HTML."""

import html
from collections.abc import Mapping, Sequence

from emogram.paper.figures import Drawn
from emogram.paper.markup import (
    Big,
    Block,
    Code,
    CodeSpan,
    Entry,
    Heading,
    Inline,
    Items,
    Link,
    Paragraph,
    Placed,
    Quote,
    Styled,
    Text,
    Title,
    inline,
    typeset,
)
from emogram.paper.tables import Table


class HtmlWriter:
    """Writes blocks as HTML.

    Args:
        figures: by name.
        tables: by name.
        folder: where the figures lie, as the page sees it.
    """

    def __init__(self, figures: Mapping[str, Drawn], tables: Mapping[str, Table], folder: str) -> None:
        self.figures, self.tables, self.folder = figures, tables, folder

    def write(self, blocks: Sequence[Block]) -> str:
        """All blocks, one after the other."""
        return "\n".join(self._block(block) for block in blocks)

    def _block(self, block: Block) -> str:  # noqa: PLR0911 - one for each kind of block
        match block:
            case Heading(level, inner, label):
                return f'<h{level + 1} id="{label}">{self._inline(inner)}</h{level + 1}>'
            case Paragraph(inner):
                return f"<p>{self._inline(inner)}</p>"
            case Items(numbered, items):
                tag = "ol" if numbered else "ul"
                inside = "\n".join(f"<li>{self._item(item)}</li>" for item in items)
                return f"<{tag}>\n{inside}\n</{tag}>"
            case Quote(blocks):
                return f'<div class="finding">{self.write(blocks)}</div>'
            case Code(text):
                return f'<pre tabindex="0"><code>{html.escape(text)}</code></pre>'
            case Placed():
                return self._placed(block)
            case Big(entries):
                pairs = "".join(f"<dt>{self._inline(v)}</dt><dd>{self._inline(w)}</dd>" for v, w in entries)
                return f'<dl class="big">{pairs}</dl>'
            case Entry(label, inner):
                return f'<p class="reference" id="{label}">{self._inline(inner)}</p>'
            case Title(inner, below):
                lines = "".join(f'<p class="below">{self._inline(line)}</p>' for line in below)
                return f"<header><h1>{self._inline(inner)}</h1>{lines}</header>"

    def _item(self, blocks: Sequence[Block]) -> str:
        if len(blocks) == 1 and isinstance(blocks[0], Paragraph):
            return self._inline(blocks[0].inner)
        return self.write(blocks)

    def _placed(self, block: Placed) -> str:
        caption = f"<b>{block.title}.</b> {self._inline(block.caption)}"
        if block.kind == "figure":
            drawn = self.figures[block.name]
            image = (
                f'<img src="{self.folder}/{block.name}.svg" alt="{html.escape(drawn.alt)}" '
                f'width="{drawn.width_in * 96:.0f}" height="{drawn.height_in * 96:.0f}" loading="lazy">'
            )
            return f'<figure id="{block.label}">{image}<figcaption>{caption}</figcaption></figure>'
        table = self.tables[block.name]
        cells = list(zip(table.header, table.align, strict=True))
        header = "".join(f'<th scope="col" class="{side}">{self._cell(cell)}</th>' for cell, side in cells)
        rows = "\n".join(self._row(table, at) for at in range(len(table.rows)))
        return (
            f'<figure class="table" id="{block.label}"><figcaption id="{block.label}-caption">{caption}</figcaption>'
            f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{block.label}-caption">'
            f"<table><thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div></figure>"
        )

    def _row(self, table: Table, at: int) -> str:
        cells = [
            f'<th scope="row" class="{side}">{self._cell(cell)}</th>'
            if column == 0
            else f'<td class="{side}">{self._cell(cell)}</td>'
            for column, (cell, side) in enumerate(zip(table.rows[at], table.align, strict=True))
        ]
        return f"<tr{' class=strong' if at in table.strong else ''}>{''.join(cells)}</tr>"

    def _cell(self, text: str) -> str:
        return self._inline(inline(text))

    def _inline(self, inner: Sequence[Inline]) -> str:
        return "".join(self._piece(each) for each in inner)

    def _piece(self, piece: Inline) -> str:
        match piece:
            case Text(text):
                return html.escape(typeset(text), quote=False)
            case CodeSpan(text):
                return f"<code>{html.escape(text, quote=False)}</code>"
            case Styled(style, inner):
                tag = "strong" if style == "strong" else "em"
                return f"<{tag}>{self._inline(inner)}</{tag}>"
            case Link(href, inner):
                return f'<a href="{html.escape(href)}">{self._inline(inner)}</a>'
