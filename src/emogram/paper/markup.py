"""The text of a paper as blocks, read from the little Markdown that the templates are written in.

Beyond CommonMark without HTML there are fences: ``figure NAME`` and ``table NAME`` with a caption, ``big`` with lines
``value | what it is``, ``title`` with the title and what stands below it, and ``reference KEY``. A link to
``#figure-NAME`` or ``#table-NAME`` without text reads ``Figure 2``. Both the page and the print are written from these
blocks, so they say the same.
"""

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from emogram.errors import ConfigurationError

_PLAIN = set(" ,;:%'\"?/=")
_KINDS = {"figure": "Figure", "table": "Table"}


class Marked(str):
    """Text that is Markdown already and is not to be escaped."""

    __slots__ = ()


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class CodeSpan:
    """What one types."""

    text: str


@dataclass(frozen=True)
class Styled:
    """Inner text that is ``strong`` or ``emph``."""

    style: str
    inner: "tuple[Inline, ...]"


@dataclass(frozen=True)
class Link:
    """A link to an address, or to ``#label`` within the text."""

    href: str
    inner: "tuple[Inline, ...]"


Inline = Text | CodeSpan | Styled | Link


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 or more; `label` is how links find it."""

    level: int
    inner: tuple[Inline, ...]
    label: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    inner: tuple[Inline, ...]


@dataclass(frozen=True)
class Items:
    """A list, numbered or not."""

    numbered: bool
    items: "tuple[tuple[Block, ...], ...]"


@dataclass(frozen=True)
class Quote:
    """What stands out: the sentence of a finding."""

    inner: "tuple[Block, ...]"


@dataclass(frozen=True)
class Code:
    """Lines to type."""

    text: str


@dataclass(frozen=True)
class Placed:
    """A figure or a table (`kind`) by its name, with its caption and number."""

    kind: str
    name: str
    caption: tuple[Inline, ...]
    number: int = 0

    @property
    def label(self) -> str:
        """How links find it."""
        return f"{self.kind}-{self.name}"

    @property
    def title(self) -> str:
        """``Figure 2``."""
        return f"{_KINDS[self.kind]} {self.number}"


@dataclass(frozen=True)
class Big:
    """Large values, each with what it is."""

    entries: tuple[tuple[tuple[Inline, ...], tuple[Inline, ...]], ...]


@dataclass(frozen=True)
class Title:
    """The title, and lines below it."""

    inner: tuple[Inline, ...]
    below: tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True)
class Entry:
    """An entry of the references; `label` is how links find it."""

    label: str
    inner: tuple[Inline, ...]


Block = Heading | Paragraph | Items | Quote | Code | Placed | Big | Title | Entry


def escape(text: str) -> Marked:
    """Text as Markdown that reads the same."""
    return Marked("".join(f"\\{c}" if c in string.punctuation and c not in _PLAIN else c for c in text))


def code(text: str) -> Marked:
    """Text as a code span."""
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return Marked(f"{ticks}{pad}{text}{pad}{ticks}")


def inline(text: str) -> tuple[Inline, ...]:
    """Markdown of one line."""
    return tuple(_inner(iter(_MARKDOWN.parseInline(text)[0].children or ())))


def parse(text: str) -> list[Block]:
    """The blocks of a text, figures and tables numbered in their order.

    Raises:
        ConfigurationError: a link to a figure or table that is not placed.
    """
    blocks = list(_blocks(iter(_MARKDOWN.parse(text))))
    counts = dict.fromkeys(_KINDS, 0)
    titles: dict[str, str] = {}
    numbered: list[Block] = []
    for block in blocks:
        if isinstance(block, Placed):
            counts[block.kind] += 1
            placed = replace(block, number=counts[block.kind])
            titles[f"#{placed.label}"] = placed.title
            numbered.append(placed)
        else:
            numbered.append(block)
    return [_titled(block, titles) for block in numbered]


def plain(inner: Sequence[Inline]) -> str:
    """The words alone."""
    return "".join(each.text if isinstance(each, Text | CodeSpan) else plain(each.inner) for each in inner)


def typeset(text: str) -> str:
    """Words with the spaces and signs of print: no break before a unit, a minus that is one."""
    text = re.sub(r"(?<=\d) (?=(?:%|points|dB|ms|s|kHz|million)(?!\w))", "\u00a0", text)
    return re.sub(r"(?<![\w-])-(?=\d)", "\u2212", text)


_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def _blocks(tokens: Iterator[Token], end: str = "") -> Iterator[Block]:
    for token in tokens:
        if token.type == end:
            return
        if token.type == "heading_open":
            inner = tuple(_inner(iter(next(tokens).children or ())))
            next(tokens)
            yield Heading(int(token.tag[1]), inner, re.sub(r"[^a-z0-9]+", "-", plain(inner).lower()).strip("-"))
        elif token.type == "paragraph_open":
            yield Paragraph(tuple(_inner(iter(next(tokens).children or ()))))
            next(tokens)
        elif token.type in {"bullet_list_open", "ordered_list_open"}:
            closing = token.type.replace("open", "close")
            yield Items(token.type.startswith("ordered"), tuple(_items(tokens, closing)))
        elif token.type == "blockquote_open":
            yield Quote(tuple(_blocks(tokens, "blockquote_close")))
        elif token.type == "fence":
            yield _fence(token)
        else:
            raise ConfigurationError(f"template: {token.type} is not in the Markdown of papers; write it otherwise")


def _items(tokens: Iterator[Token], closing: str) -> Iterator[tuple[Block, ...]]:
    for token in tokens:
        if token.type == closing:
            return
        yield tuple(_blocks(tokens, "list_item_close"))


def _fence(token: Token) -> Block:
    kind, _, name = token.info.strip().partition(" ")
    lines = [line for line in token.content.splitlines() if line.strip()]
    if kind in _KINDS:
        return Placed(kind, name, inline(" ".join(lines)))
    if kind == "big":
        pairs = [line.partition("|") for line in lines]
        return Big(tuple((inline(value.strip()), inline(words.strip())) for value, _, words in pairs))
    if kind == "title":
        return Title(inline(lines[0]), tuple(inline(line) for line in lines[1:]))
    if kind == "reference":
        return Entry(f"ref-{name}", inline(" ".join(lines)))
    return Code(token.content.rstrip("\n"))


def _inner(tokens: Iterator[Token], end: str = "") -> Iterator[Inline]:
    for token in tokens:
        if token.type == end:
            return
        if token.type in {"strong_open", "em_open"}:
            style = "strong" if token.type == "strong_open" else "emph"
            yield Styled(style, tuple(_inner(tokens, token.type.replace("open", "close"))))
        elif token.type == "link_open":
            yield Link(str(token.attrs["href"]), tuple(_inner(tokens, "link_close")))
        elif token.type == "code_inline":
            yield CodeSpan(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            yield Text(" ")
        elif token.content:
            yield Text(token.content)


def _titled(block: Block, titles: dict[str, str]) -> Block:
    """The block with the text of its links to figures and tables filled in."""
    if isinstance(block, Paragraph | Heading):
        return replace(block, inner=_named(block.inner, titles))
    if isinstance(block, Placed):
        return replace(block, caption=_named(block.caption, titles))
    if isinstance(block, Quote):
        return Quote(tuple(_titled(each, titles) for each in block.inner))
    if isinstance(block, Items):
        return Items(block.numbered, tuple(tuple(_titled(each, titles) for each in item) for item in block.items))
    return block


def _named(inner: tuple[Inline, ...], titles: dict[str, str]) -> tuple[Inline, ...]:
    filled: list[Inline] = []
    for each in inner:
        if isinstance(each, Link) and not each.inner:
            if each.href not in titles:
                raise ConfigurationError(f"template: links to {each.href}, which is not placed; place it")
            filled.append(Link(each.href, (Text(titles[each.href]),)))
        elif isinstance(each, Styled):
            filled.append(replace(each, inner=_named(each.inner, titles)))
        else:
            filled.append(each)
    return tuple(filled)
