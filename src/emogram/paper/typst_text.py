"""Blocks as typst: calls of the functions that a style (``templates/*.typ``) defines, with all words as typst strings.

Words never become typst markup, so a name in the store cannot change what is set.
"""

import json
from collections.abc import Mapping, Sequence

from emogram.paper.figures import PAGE_IN, Drawn
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
    plain,
    typeset,
)
from emogram.paper.tables import Table

_HIGH_IN = 4.0
"""Figures above this height are moved to where a page has room for them."""

_ALIGN = {"l": "left", "r": "right"}


class TypstWriter:
    """Writes blocks as typst.

    Args:
        figures: by name; their files lie in ``figures/`` beside the text.
        tables: by name.
    """

    def __init__(self, figures: Mapping[str, Drawn], tables: Mapping[str, Table]) -> None:
        self.figures, self.tables = figures, tables
        self.labels: set[str] = set()

    def write(self, blocks: Sequence[Block]) -> str:
        """All blocks, one after the other."""
        self.labels = {block.label for block in blocks if isinstance(block, Placed | Heading | Entry)}
        return "\n\n".join(self._block(block) for block in blocks) + "\n"

    def _block(self, block: Block) -> str:  # noqa: PLR0911 - one for each kind of block
        match block:
            case Heading(level, inner, label):
                flush = "#place.flush()\n" if level == 1 else ""
                return f"{flush}#heading(level: {level})[{self._inline(inner)}] <{label}>"
            case Paragraph(inner):
                return self._inline(inner)
            case Items(numbered, items):
                inside = "".join(f"[{self._content(item)}], " for item in items)
                return f"#{'enum' if numbered else 'list'}({inside})"
            case Quote(inner_blocks):
                return f"#finding[{self._content(inner_blocks)}]"
            case Code(text):
                return f"#raw(block: true, {_string(text)})"
            case Placed():
                return self._placed(block)
            case Big(entries):
                pairs = "".join(f"([{self._inline(value)}], [{self._inline(words)}]), " for value, words in entries)
                return f"#big(({pairs}))"
            case Entry(label, inner):
                return f"#entry[{self._inline(inner)}] <{label}>"
            case Title(inner, below):
                lines = "".join(f"[{self._inline(line)}], " for line in below)
                return f"#set document(title: {_string(plain(inner))})\n#cover([{self._inline(inner)}], ({lines}))"

    def _content(self, blocks: Sequence[Block]) -> str:
        return "\n\n".join(self._block(block) for block in blocks)

    def _placed(self, block: Placed) -> str:
        caption = f"[{self._inline(block.caption)}]"
        if block.kind == "figure":
            drawn = self.figures[block.name]
            path, alt = _string(f"figures/{block.name}.svg"), _string(drawn.alt)
            width = f"{100 * drawn.width_in / PAGE_IN:.1f}%"
            high = _truth(drawn.height_in > _HIGH_IN)
            return f"#picture({path}, {alt}, {caption}, {width}, {high}) <{block.label}>"
        table = self.tables[block.name]
        widths = ", ".join(f"{table.wide[at]}fr" if at in table.wide else "auto" for at in range(len(table.header)))
        align = ", ".join(_ALIGN[side] for side in table.align)
        header = "".join(f"[{self._inline(inline(cell))}], " for cell in table.header)
        rows = "".join(
            "  " + "".join(f"[{self._cell(cell, at in table.strong)}], " for cell in row) + "\n"
            for at, row in enumerate(table.rows)
        )
        flags = f"small: {_truth(table.is_small)}, breaks: {_truth(table.may_break)}, floats: {_truth(table.floats)}"
        return (
            f"#tabular(({widths},), ({align},), ({header}), {caption}, {flags}, name: {_string(block.label)},\n{rows})"
        )

    def _cell(self, text: str, strong: bool) -> str:
        inner = inline(text)
        return self._inline((Styled("strong", inner),) if strong and inner else inner)

    def _inline(self, inner: Sequence[Inline]) -> str:
        return "".join(self._piece(each) for each in inner)

    def _piece(self, piece: Inline) -> str:
        match piece:
            case Text(text):
                return f"#{_string(typeset(text))};"
            case CodeSpan(text):
                return f"#raw({_string(text)});"
            case Styled(style, inner):
                return f"#{style}[{self._inline(inner)}];"
            case Link(href, inner):
                if not href.startswith("#"):
                    return f"#link({_string(href)})[{self._inline(inner)}];"
                known = href[1:] in self.labels
                return f"#link(<{href[1:]}>)[{self._inline(inner)}];" if known else self._inline(inner)


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _string(text: str) -> str:
    """A typst string literal; typst and JSON escape alike but for control characters, which typst has no use for."""
    kept = "".join(c for c in text if c >= " " or c == "\n")
    return json.dumps(kept, ensure_ascii=False)
