"""The Markdown of papers: names stay names, links find what they point at, words get the signs of print."""

import pytest

from emogram.errors import ConfigurationError
from emogram.paper.html_text import HtmlWriter
from emogram.paper.markup import CodeSpan, Link, Paragraph, Text, code, escape, inline, parse, plain, typeset
from emogram.paper.tables import Table
from emogram.paper.typst_text import TypstWriter

ODD = 'a *b* `c` [d](e) <f> #g $h$ \\i "j" _k_ 1. l | m & n ~ o'


def test_an_escaped_name_reads_as_it_was() -> None:
    assert plain(inline(escape(ODD))) == ODD
    assert inline(code("a `b`")) == (CodeSpan("a `b`"),)


def test_no_name_becomes_markup_of_a_page_or_of_print() -> None:
    table = {"t": Table((escape(ODD),), ((escape(ODD),),), "l")}
    blocks = parse(f"{escape(ODD)}\n\n```table t\n{escape(ODD)}\n```\n")
    page = HtmlWriter({}, table, "figures").write(blocks)
    assert "<f>" not in page
    assert page.count("&lt;f&gt;") == 4
    text = TypstWriter({}, table).write(blocks)
    assert text.count('#"a *b* `c` [d](e) <f> #g $h$ \\\\i \\"j\\" _k_ 1. l | m & n ~ o";') == 4


def test_a_link_to_a_figure_has_its_number() -> None:
    blocks = parse("See [](#table-b).\n\n```table a\nA.\n```\n\n```table b\nB.\n```\n")
    first = blocks[0]
    assert isinstance(first, Paragraph)
    assert first.inner[1] == Link("#table-b", (Text("Table 2"),))
    with pytest.raises(ConfigurationError, match="links to #figure-c, which is not placed"):
        parse("See [](#figure-c).")


def test_what_no_writer_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="hr is not in the Markdown of papers"):
        parse("a\n\n---\n")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("61.3 % and -2.5 points", "61.3\u00a0% and \u22122.5\u00a0points"),
        ("fold-1 at 10 dB", "fold-1 at 10\u00a0dB"),
        ("2.81 million, 3 seeds", "2.81\u00a0million, 3 seeds"),
    ],
)
def test_units_stay_with_their_numbers(typed: str, printed: str) -> None:
    assert typeset(typed) == printed
