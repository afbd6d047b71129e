"""The tables of single results, of what was published beside them, and of the corpora."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emogram.corpora import ravdess
from emogram.corpora.registry import CORPORA
from emogram.evaluation.predictions import Predictions
from emogram.evaluation.statistics import estimate
from emogram.paper.comparison import Group, Inflation
from emogram.paper.markup import code, escape
from emogram.paper.references import Citations, bibliography
from emogram.paper.stored import Result
from emogram.paper.tables import Table
from emogram.paper.wording import amount, changed_in_words, count, interval, score, with_interval

_SPEECH = {"ravdess": "ravdess-speech"}


@dataclass(frozen=True)
class Material:
    """What of a corpus the results were tested on, over all of them.

    Attributes:
        corpus: its name in predictions.
        clips: tested at least once.
        speakers: among them, 0 where unknown.
        emotions: among them.
    """

    corpus: str
    clips: int
    speakers: int
    emotions: int


def material(predictions: Sequence[Predictions]) -> list[Material]:
    """Clips, speakers and emotions by corpus, each clip once."""
    seen: dict[str, dict[str, tuple[str, str]]] = {}
    for table in predictions:
        truths = (table.emotions[truth] for truth in table.truth)
        for clip, corpus, speaker, truth in zip(table.clip_ids, table.corpora, table.speakers, truths, strict=True):
            seen.setdefault(corpus, {})[clip.partition(" #")[0]] = (speaker, truth)
    return [
        Material(
            corpus=corpus,
            clips=len(clips),
            speakers=len({speaker for speaker, _ in clips.values() if speaker}),
            emotions=len({emotion for _, emotion in clips.values()}),
        )
        for corpus, clips in sorted(seen.items())
    ]


def corpora(found: Sequence[Material], citations: Citations) -> Table:
    """The corpora with what was tested, languages and licences from the registry."""
    rows = []
    for each in found:
        known = CORPORA.get(_SPEECH.get(each.corpus, each.corpus)) or CORPORA.get(each.corpus)
        official = str(known.n_clips) if known and known.n_clips else ""
        title: str = escape(known.title.partition(" (")[0] if known else each.corpus)
        if each.corpus in bibliography():
            title += f" {citations.cite(each.corpus)}"
        language = ", ".join(known.languages) if known else ""
        licence = escape(known.licence) if known else ""
        clips = f"{each.clips} of {official}" if official and official != str(each.clips) else str(each.clips)
        rows.append((title, clips, str(each.speakers or "?"), str(each.emotions), language, licence))
    header = ("corpus", "clips", "speakers", "emotions", "language", "licence of the audio")
    return Table(header, tuple(rows), "lrrrll", wide={0: 1})


def title_of(corpus: str) -> str:
    """What a corpus is called: ``RAVDESS``."""
    known = CORPORA.get(corpus)
    return re.split(r", | \(", known.title)[0] if known else corpus


def results(groups: Sequence[Group]) -> Table:
    """Every result: what it is, how it was tested, its scores."""
    rows = []
    for group in groups:
        for result in group.results:
            heard = "unseen" if result.unseen else "heard"
            rows.append(
                (
                    code(result.name),
                    amount(result.parameters),
                    result.source,
                    heard,
                    _short(result, "accuracy"),
                    _short(result, "uar"),
                    score(result.scores["f1"], "f1").removesuffix(" %"),
                )
            )
    header = ("result", "parameters", "begins with", "speakers", "accuracy, %", "UAR, %", "F1, %")
    return Table(header, tuple(rows), "lrllrrr")


def published(group: Group) -> Table:
    """A protocol's results of ours and of the literature, by accuracy; ours stand out."""
    ours = [
        (
            result.accuracy * 100,
            (
                f"{escape(result.label)}, {amount(result.parameters)} parameters",
                "this paper",
                *(_short(result, metric) for metric in ("accuracy", "uar", "f1")),
            ),
        )
        for result in group.results
    ]
    others = [
        (
            one.accuracy or 0.0,
            (escape(one.system), "published", *(_given(value) for value in (one.accuracy, one.uar, one.f1))),
        )
        for one in group.published
    ]
    ranked = sorted([*ours, *others], key=lambda row: -row[0])
    strong = frozenset(at for at, (_, row) in enumerate(ranked) if row[1] == "this paper")
    header = ("system", "source", "accuracy, %", "UAR, %", "F1, %")
    return Table(header, tuple(row for _, row in ranked), "llrrr", strong, wide={0: 1})


def inflations(pairs: Sequence[Inflation]) -> Table:
    """Scores on unseen speakers beside those on a random split."""
    rows = []
    for pair in pairs:
        for metric, word in (("accuracy", "accuracy"), ("uar", "UAR"), ("f1", "macro F1")):
            unseen, random = (result.scores[metric] for result in (pair.unseen, pair.random))
            apart = 100 * ((random["value"] or 0.0) - (unseen["value"] or 0.0))
            rows.append(
                (
                    escape(pair.unseen.label),
                    word,
                    with_interval(unseen, metric),
                    with_interval(random, metric),
                    f"{apart:+.1f} points",
                )
            )
    header = ("network", "score", "speakers never heard", "random split", "difference")
    return Table(header, tuple(rows), "llrrr")


def subsets(held: Sequence[Result]) -> Table:
    """Accuracy on women and men, and by the intensity that actors were asked for where a corpus tells it."""
    kinds = [("women", _of_sex("female")), ("men", _of_sex("male"))]
    kinds += [(f"{level} intensity", _of_intensity(level)) for level in ("normal", "strong")]
    rows = []
    for word, choose in kinds:
        cells = []
        for result in held:
            chosen = choose(result.predictions)
            cells.append(_scored(result.predictions.take(chosen)) if chosen else "")
        if any(cells):
            rows.append((word, *cells))
    header = ("clips of", *(f"{escape(result.label)}, accuracy" for result in held))
    return Table(header, tuple(rows), "l" + "r" * len(held))


def folds(held: Sequence[Result]) -> Table | None:
    """Accuracy by fold, and the epoch that validation kept; None where no result has folds."""
    rows = []
    for result in held:
        stored = result.metrics.get("folds")
        if isinstance(stored, list) and len(stored) > 1:
            rows.append((escape(result.label), *(f"{100 * row['accuracy']:.1f}" for row in stored)))
    width = Counter(len(row) for row in rows).most_common(1)
    if not width:
        return None
    kept = [row for row in rows if len(row) == width[0][0]]
    header = ("accuracy, %", *(f"fold {at}" for at in range(1, width[0][0])))
    return Table(header, tuple(kept), "l" + "r" * (width[0][0] - 1))


def tests(group: Group) -> list[str]:
    """A sentence for each paired comparison within a protocol."""
    told = []
    for each in group.tested:
        p = each.holm_p
        found = "" if p is None else f" p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
        many = f" after Holm's correction of {count(len(group.tested))} comparisons" if len(group.tested) > 1 else ""
        ends = f" Paired over speakers,{found}{many}." if found else ""
        told.append(f"{each.comparison.sentence[:1].upper()}{each.comparison.sentence[1:]}{ends}")
    return told


def paired_words(pair: Inflation) -> str:
    """The paired difference of the two kinds of split, in words; empty where there is none."""
    return changed_in_words(pair.paired.estimate, "accuracy") if pair.paired else ""


def _of_sex(sex: str) -> Callable[[Predictions], list[int]]:
    return lambda table: [at for at, each in enumerate(table.sexes) if each == sex]


def _of_intensity(level: str) -> Callable[[Predictions], list[int]]:
    def choose(table: Predictions) -> list[int]:
        clips = (ravdess.read(Path(f"{clip.rpartition('/')[2]}.wav")) for clip in table.clip_ids)
        return [at for at, clip in enumerate(clips) if clip is not None and clip.intensity == level]

    return choose


def _scored(chosen: Predictions) -> str:
    found = estimate(chosen).metrics["accuracy"]
    return with_interval({"value": found.value, "low": found.low, "high": found.high})


def _short(result: Result, metric: str) -> str:
    row = result.scores[metric]
    ends = interval(row, metric).removesuffix(" %")
    return score(row, metric).removesuffix(" %") + (f" ({ends})" if ends else "")


def _given(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
