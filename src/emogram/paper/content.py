"""What a template can ask for: results by what they are to the text, tables, figures, numbers in words.

A name is there only where the store holds what it stands for, so that a text which asks for more cannot be made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import emogram
from emogram.corpora.registry import CORPORA
from emogram.evaluation.predictions import Predictions
from emogram.evaluation.published import published_results
from emogram.evaluation.statistics import FEW_SPEAKERS, MIN_SPEAKERS, REPLICATES
from emogram.paper import adapted, figures, result_tables, study_tables
from emogram.paper.comparison import Group, Inflation, groups_of, inflations
from emogram.paper.figures import Drawings
from emogram.paper.references import Citations
from emogram.paper.settings import SECTIONS, in_full
from emogram.paper.stored import SYNTHETIC, Result, read_results
from emogram.paper.studied import Open, Studied, open_studies, read_one, read_studies
from emogram.paper.tables import Table
from emogram.paper.wording import LEVEL_WORDS
from emogram.splits.published import PROTOCOLS, protocol
from emogram.studies.conditions import CLEAN
from emogram.studies.findings import Answers
from emogram.studies.results import PREDICTIONS, Archive
from emogram.studies.store import Store

_KINDS_OF_SPLIT = "one CNN on three kinds of split"
_MOST_SIDE_BY_SIDE = 3
_ON_A_SLIDE = 9
_SLIDE_IN = 3.4
_STUDIES_IN_TALK = 2


@dataclass(frozen=True)
class Content:
    """All that a text is made of.

    Attributes:
        values: by the name that templates call.
        tables: by name.
        drawings: the figures that were drawn.
        citations: what was cited so far.
        unusable: folders of the store that could not be used, with the reason.
    """

    values: dict[str, Any]
    tables: dict[str, Table]
    drawings: Drawings
    citations: Citations
    unusable: tuple[str, ...]


def of_store(store: Path, study_files: Path | None, folder: Path) -> Content:
    """The content of the paper and the talk.

    Args:
        store: holds results and studies, at any depth.
        study_files: study files, to tell those that have not run; None for none.
        folder: where figures are drawn.

    Raises:
        TrainingError, CorpusError: a damaged file in the store.
    """
    results, unusable = read_results(store)
    studied = read_studies(store)
    unrun = open_studies(study_files, studied, SYNTHETIC) if study_files else []
    content = _started(folder, unusable)
    groups = groups_of(results)
    found = adapted.read_adapted(store)
    in_talk = _STUDIES_IN_TALK - bool(found)
    pairs = inflations(results)
    content.values.update(
        results=results,
        groups=groups,
        studies=studied,
        in_talk=sorted(studied, key=lambda one: -_told_apart(one))[:in_talk],
        unrun=study_tables.open_list(unrun),
        kinds_of_split=[one for one in published_results() if one.system == _KINDS_OF_SPLIT],
        protocols={name: protocol(name) for name in PROTOCOLS},
    )
    _add_results(content, groups, pairs)
    _add_studies(content, studied, unrun)
    _add_adapted(content, found)
    held = [result.predictions for result in results]
    _add_material(content, [*held, *(answers for found in studied for answers in _all_answers(found))])
    return content


def of_study(study: Path, folder: Path) -> Content:
    """The content of the small paper of one study.

    Args:
        study: its folder in its store, or where it was exported to.
        folder: where figures are drawn.

    Raises:
        TrainingError: no study, or a damaged file.
    """
    found = read_one(study)
    content = _started(folder, [])
    content.values.update(study=found, synthetic=found.plan.study.corpora == [SYNTHETIC], folder=study.name)
    _add_studies(content, [found], [])
    _add_material(content, _all_answers(found))
    return content


def _started(folder: Path, unusable: Sequence[str]) -> Content:
    values = {
        "version": emogram.__version__,
        "level": LEVEL_WORDS,
        "replicates": REPLICATES,
        "min_speakers": MIN_SPEAKERS,
        "few_speakers": FEW_SPEAKERS,
        "clean": CLEAN,
        "unusable": list(unusable),
    }
    return Content(values, {}, Drawings(folder), Citations(), tuple(unusable))


def _add_results(content: Content, groups: Sequence[Group], pairs: Sequence[Inflation]) -> None:
    tables, drawings = content.tables, content.drawings
    if groups:
        tables["results"] = result_tables.results(groups)
    for group in groups:
        if group.published:
            drawings.add(f"standing-{group.label}", partial(figures.standing, group))
            tables[f"published-{group.label}"] = result_tables.published(group)
    if pairs:
        content.values["inflations"] = list(pairs)
        tables["inflation"] = result_tables.inflations(pairs)
        drawings.add("inflation", partial(figures.inflation, pairs))
    leading = next((group for group in groups if group.unseen), None)
    if leading is not None:
        _add_leading(content, leading)


def _add_leading(content: Content, leading: Group) -> None:
    """The results by the protocol that the text is about: the first on speakers that were never heard."""
    values, tables = content.values, content.tables
    values["leading"], values["headline"] = leading, leading.best
    scratch = [result for result in leading.results if result.source == "nothing"]
    if scratch:
        values["scratch"] = scratch[0]
    side = _side_by_side(leading)
    values["side"] = side
    tables["subsets"] = result_tables.subsets(side)
    by_fold = result_tables.folds(leading.results)
    if by_fold is not None:
        tables["folds"] = by_fold
    for name, sections in SECTIONS.items():
        table = in_full([result for result in side if result.settings], sections)
        if table is not None:
            tables[f"settings-{name}"] = table
    _draw_leading(content.drawings, leading, side)


def _draw_leading(drawings: Drawings, leading: Group, side: Sequence[Result]) -> None:
    drawings.add("confusion", partial(figures.confusion, leading.best))
    drawings.add("emotions", partial(figures.emotions, side))
    drawings.add("talk-emotions", partial(figures.emotions, side, height_in=_SLIDE_IN))
    drawings.add("reliability", partial(figures.reliability, leading.best))
    if leading.published:
        drawings.add("talk-standing", partial(figures.standing, leading, height_in=_SLIDE_IN))
    if leading.best.summary["per_sex"]:
        drawings.add("speakers", partial(figures.speakers, side))


def _side_by_side(leading: Group) -> list[Result]:
    """The best, the best from nothing, and the next best, as far as they are different ones."""
    scratch = [result for result in leading.results if result.source == "nothing"]
    chosen = [leading.best, *scratch[:1], *leading.results]
    distinct = list({result.name: result for result in chosen}.values())
    return sorted(distinct[:_MOST_SIDE_BY_SIDE], key=lambda result: -result.accuracy)


def _add_studies(content: Content, studied: Sequence[Studied], unrun: Sequence[Open]) -> None:
    tables, drawings = content.tables, content.drawings
    if studied or unrun:
        tables["answers"] = study_tables.answers(studied, unrun)
        tables["overview"] = study_tables.overview(studied, unrun)
    for found in studied:
        drawings.add(f"study-{found.name}", partial(figures.forest, found))
        drawings.add(f"talk-{found.name}", partial(figures.forest, found, most=_ON_A_SLIDE, height_in=_SLIDE_IN))
        if figures.differ_in_size(found):
            drawings.add(f"sizes-{found.name}", partial(figures.sizes, found))
        compared = [each.condition for each in found.findings.comparisons]
        for number, condition in enumerate(found.conditions):
            if condition in compared:
                tables[f"study-{found.name}-{number}"] = study_tables.scores(found, condition)
        rest = [condition for condition in found.conditions if condition not in compared]
        if rest:
            tables[f"study-{found.name}-conditions"] = study_tables.conditions(found, rest)
        if found.findings.groups:
            tables[f"study-{found.name}-groups"] = study_tables.groups(found)


def _add_adapted(content: Content, found: "Sequence[adapted.Adapted]") -> None:
    """Models that were adapted; the curve of those of which there is one."""
    if not found:
        return
    content.values["adapted"] = list(found)
    content.tables["adapted"] = adapted.table(found)
    curved = [one for one in found if one.curve]
    if curved:
        content.drawings.add("adapted", partial(adapted.figure, curved, width_in=figures.PAGE_IN))
        content.drawings.add(
            "talk-adapted", partial(adapted.figure, curved, width_in=figures.PAGE_IN, height_in=_SLIDE_IN)
        )


def _add_material(content: Content, predictions: Sequence[Predictions]) -> None:
    found = result_tables.material(predictions)
    content.values["material"] = {each.corpus: each for each in found}
    known = [CORPORA[each.corpus] for each in found if each.corpus in CORPORA]
    content.values["languages"] = sorted({language for corpus in known for language in corpus.languages})
    content.tables["corpora"] = result_tables.corpora(found, content.citations)


def _told_apart(found: Studied) -> int:
    return sum(each.verdict in {"better", "worse"} for each in found.findings.comparisons)


def _all_answers(found: Studied) -> list[Predictions]:
    """What every run of a study answered, clean and under each condition; from beside it, where packed, or its store."""
    packed = (found.folder / PREDICTIONS).is_file()
    source: Answers = Archive(found.folder) if packed else Store(found.folder.parent)
    asked = {(run.key, stem) for run in found.plan.runs for stem in (CLEAN, *run.conditions.values())}
    return [answers for key, stem in sorted(asked) if (answers := source.predictions(key, stem)) is not None]
