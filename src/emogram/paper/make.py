"""Puts together the paper and the talk: templates and content to Markdown, Markdown to a page and to print."""

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from emogram.errors import ConfigurationError, MissingExtraError, TrainingError
from emogram.paper import settings, study_tables, wording
from emogram.paper.content import Content, of_store, of_study
from emogram.paper.html_text import HtmlWriter
from emogram.paper.markup import Block, Heading, Marked, Placed, Title, code, escape, parse, plain
from emogram.paper.result_tables import paired_words, tests, title_of
from emogram.paper.studied import answer, is_study
from emogram.paper.typst_text import TypstWriter
from emogram.writing import whole

NAME = "emogram"
FIGURES = "figures"
_REMEDIES = {
    "headline": "emogram train configurations/ravdess.yaml --corpus ravdess-speech=RAVDESS --folds all -o runs/ravdess",
    "inflations": "emogram train configurations/ravdess.yaml --corpus ravdess-speech=RAVDESS split.name=stratified -o runs/random",
    "study": "emogram study run studies/quick.yaml",
}
"""What makes the results that templates call by these names; copy ``metrics.json`` and ``predictions-test.csv`` of a run."""


@dataclass(frozen=True)
class Written:
    """What was written, and what was left out.

    Attributes:
        files: the paper as HTML, and as PDF with the talk where typst is installed.
        unusable: folders of the store that could not be used, with the reason.
    """

    files: tuple[Path, ...]
    unusable: tuple[str, ...]


def can_print() -> bool:
    """Whether typst is installed, which sets the PDF."""
    return importlib.util.find_spec("typst") is not None


def write_paper(store: Path, output: Path, study_files: Path | None = None) -> Written:
    """Write ``emogram.html``, ``emogram.pdf`` and ``talk.pdf`` from a store of results.

    Args:
        store: a folder with results (``metrics.json`` beside ``predictions-test.csv``) and exported studies.
        output: made when needed.
        study_files: study files, so that the paper can say which have not run.

    Raises:
        MissingExtraError: typst is not installed.
        ConfigurationError: no such store, or it lacks a result that the text asks for; names it and what makes it.
        TrainingError, CorpusError: a damaged file.
    """
    if not store.is_dir():
        raise ConfigurationError(
            f"{store}: there is no such folder; name the store of results: emogram paper --results"
        )
    if not can_print():
        raise MissingExtraError("setting a PDF", "paper")
    with tempfile.TemporaryDirectory() as scratch:
        content, paper, talk = compose(store, study_files, Path(scratch))
        files = [_page(paper, content, output, NAME)]
        files.append(_print(paper, content, Path(scratch), "paper.typ", output / f"{NAME}.pdf"))
        files.append(_print(talk, content, Path(scratch), "talk.typ", output / "talk.pdf"))
    return Written(tuple(files), content.unusable)


def compose(store: Path, study_files: Path | None, scratch: Path) -> tuple[Content, list[Block], list[Block]]:
    """The content of a store, and the blocks of paper and talk; figures are drawn into ``figures`` of a folder.

    Raises:
        ConfigurationError, TrainingError, CorpusError: as `write_paper`.
    """
    content = of_store(store, study_files, scratch / FIGURES)
    return content, _text("paper.md.jinja", content, store), _text("talk.md.jinja", content, store)


def write_study_paper(study: Path, output: Path) -> Written:
    """Write the small paper of one study, as HTML and, where typst is installed, as PDF, both called after the study.

    Args:
        study: its folder in its store, or where it was exported to.
        output: made when needed.

    Raises:
        TrainingError: no study, or a damaged file.
    """
    if not is_study(study):
        raise TrainingError(f"{study}: holds no study; run one first: {_REMEDIES['study']}")
    with tempfile.TemporaryDirectory() as scratch:
        content = of_study(study, Path(scratch) / FIGURES)
        text, name = _text("study.md.jinja", content, study), content.values["study"].name
        files = [_page(text, content, output, name)]
        if can_print():
            files.append(_print(text, content, Path(scratch), "paper.typ", output / f"{name}.pdf"))
    return Written(tuple(files), content.unusable)


def render(template: str, values: Mapping[str, Any], store: Path, *, loader: jinja2.BaseLoader | None = None) -> str:
    """A template with values as Markdown; whatever it shows is escaped unless it is Markdown already.

    Raises:
        ConfigurationError: the template asks for what the store does not hold; names it, and what makes it.
    """
    environment = jinja2.Environment(  # noqa: S701 - Markdown is escaped by `_finalized`
        loader=loader or jinja2.PackageLoader("emogram.paper"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized,
    )
    environment.globals |= _FUNCTIONS
    environment.filters["title_of"] = title_of
    try:
        return environment.get_template(template).render(values)
    except jinja2.UndefinedError as error:
        name = (re.findall(r"'([^']+)'", str(error)) or ["?"])[-1]
        remedy = _REMEDIES.get(name, "emogram study run, then emogram study export, or emogram train")
        raise ConfigurationError(
            f"{store}: holds no {name}, which {template} asks for; make it and put it there: {remedy}"
        ) from error


def _text(template: str, content: Content, store: Path) -> list[Block]:
    values = {
        **content.values,
        "cite": content.citations.cite,
        "references": content.citations.listed,
        "figures": content.drawings,
        "tables": content.tables,
        "store": store.as_posix(),
    }
    return parse(render(template, values, store))


def _finalized(value: Any) -> Any:
    if isinstance(value, Marked):
        return value
    return escape(value) if isinstance(value, str) else value


def _page(blocks: Sequence[Block], content: Content, output: Path, name: str) -> Path:
    figures = f"{name}-{FIGURES}" if name != NAME else FIGURES
    _copy_figures(blocks, content, output / figures)
    writer = HtmlWriter(content.drawings, content.tables, figures)
    title = next(plain(block.inner) for block in blocks if isinstance(block, Title))
    sections = [
        (block.label, plain(block.inner)) for block in blocks if isinstance(block, Heading) and block.level == 1
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emogram.paper"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("page.html.jinja").render(
        title=title, sections=sections, body=writer.write(blocks), version=content.values["version"]
    )
    return _whole(output / f"{name}.html", page.encode())


def _copy_figures(blocks: Sequence[Block], content: Content, folder: Path) -> None:
    """Copy the figures that a text places into a folder, which holds nothing else afterwards."""
    used = [block.name for block in blocks if isinstance(block, Placed) and block.kind == "figure"]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.stem not in used:
            old.unlink()
    for name in used:
        if content.drawings[name]:  # which draws it
            shutil.copyfile(content.drawings.folder / f"{name}.svg", folder / f"{name}.svg")


def _print(blocks: Sequence[Block], content: Content, scratch: Path, style: str, path: Path) -> Path:
    """Set blocks as PDF, the same bytes for the same blocks: fonts that typst brings, and no date."""
    import typst  # noqa: PLC0415 - an extra of its own

    preamble = (resources.files("emogram.paper") / "templates" / style).read_text(encoding="utf-8")
    source = scratch / f"{path.stem}.typ"
    source.write_text(preamble + "\n" + TypstWriter(content.drawings, content.tables).write(blocks), "utf-8")
    compiler = typst.Compiler(root=str(scratch), ignore_system_fonts=True)
    try:
        pdf = compiler.compile(input=str(source), format="pdf", timestamp=0)
    except typst.TypstError as error:
        raise TrainingError(f"{path}: cannot be set ({' '.join(str(error).split())[:200]}); report this") from error
    if not isinstance(pdf, bytes):
        raise TrainingError(f"{path}: typst gave no PDF; report this")
    return _whole(path, pdf)


def _whole(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial:
        partial.write_bytes(content)
    return path


_FUNCTIONS = {
    "code": code,
    "code_text": Marked,
    "address": Marked,
    "score": wording.score,
    "interval": wording.interval,
    "with_interval": wording.with_interval,
    "count": wording.count,
    "plural": wording.plural,
    "amount": wording.amount,
    "shown": wording.shown,
    "listed": wording.listed,
    "duration": wording.duration,
    "points": lambda value: f"{100 * value:.1f} points",
    "front_end": settings.front_end,
    "training": settings.training,
    "augmentation": settings.augmentation,
    "costs": settings.costs,
    "tests": tests,
    "paired_words": paired_words,
    "answer": answer,
    "sentences": study_tables.sentences,
    "undecided": study_tables.undecided,
    "unfinished": study_tables.unfinished,
}
