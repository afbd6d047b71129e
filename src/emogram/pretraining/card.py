"""The card of a model: long, with figures, for the documentation, and short inside its file. No number is typed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from emogram.evaluation import figures
from emogram.evaluation.metrics import confusion_matrix
from emogram.evaluation.predictions import among, own_emotions
from emogram.evaluation.style import BLUE, GREY, ORANGE, house_figure, write
from emogram.pretraining.results import Store
from emogram.pretraining.scores import score_sheet
from emogram.training.run_folder import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = ("noise", "confusion", "reliability")


def write_card(stores: Sequence[Store], path: Path) -> None:
    """Write the card of all bundled models, and its figures into their folders of results.

    Args:
        stores: results of each model.
        path: of the card, Markdown.

    Raises:
        TrainingError: results are missing or damaged.
    """
    models = []
    for store in stores:
        sheet = score_sheet(store)
        _draw(store, sheet)
        place = Path(os.path.relpath(store.folder, path.parent)).as_posix()
        drawn = [name for name in FIGURES if (store.folder / f"{name}.png").exists()]
        models.append({**sheet, "place": place, "figures": drawn})
    write_text(path, _templates().get_template("card.md.jinja").render(models=models))


def short_card(sheet: dict[str, Any]) -> str:
    """The card inside the file, as plain text in lines."""
    return _templates().get_template("card.txt.jinja").render(**sheet)


def noise_curve(sheet: dict[str, Any]) -> "Figure":
    """Accuracy against signal-to-noise ratio, with 95 % intervals over speakers; clean speech to the right.

    Args:
        sheet: as `score_sheet`, with rows of noise.
    """
    rows, clean = sheet["noise"], sheet["held_out"]["metrics"]["accuracy"]
    places = list(range(len(rows), -1, -1))
    scores = [clean, *(row["accuracy"] for row in rows)]
    values = [100 * score["value"] for score in scores]
    with house_figure(6.4, 3.8) as figure:
        axes = figure.subplots()
        for place, score in zip(places, scores, strict=True):
            if score["low"] is not None:
                axes.plot([place, place], [100 * score["low"], 100 * score["high"]], color=GREY, linewidth=1.2)
        axes.plot(places, values, "o-", color=BLUE)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f"{value:.1f}", (place, value), (-5, 6), textcoords="offset points", ha="right")
        chance = 100 / len(sheet["held_out"]["emotions"])
        axes.axhline(chance, color=ORANGE, linewidth=1, linestyle="--", label="chance")
        axes.legend(loc="lower right")
        axes.set_xticks(places, ["clean", *(f"{row['snr_db']:g} dB" for row in rows)])
        axes.set(xlabel="signal-to-noise ratio", ylabel="accuracy, %", xlim=(-0.5, len(rows) + 0.3), ylim=(0, 100))
        axes.set_title(f"{sheet['facts']['name']}: unseen speakers in background noise")
        axes.grid(axis="y")
    return figure


def _draw(store: Store, sheet: dict[str, Any]) -> None:
    heard = store.predictions("clean") or store.predictions("held-out")
    assert heard is not None
    masked = among(heard, own_emotions(heard))
    write(figures.confusion(confusion_matrix(masked), masked.emotions), store.folder / "confusion.png")
    write(figures.reliability_diagram(masked), store.folder / "reliability.png")
    if sheet["noise"]:
        write(noise_curve(sheet), store.folder / "noise.png")


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emogram.pretraining"),
        autoescape=False,  # noqa: S701 - plain text, no page
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"percent": _percent, "span": _span, "points": _points, "millions": _millions}
    return environment


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _span(score: dict[str, float | None], scale: float = 100.0, digits: int = 1) -> str:
    """The interval of a score: ``70.1 to 79.3``; ``none`` where it has none."""
    if score["low"] is None or score["high"] is None:
        return "none"
    return f"{scale * score['low']:.{digits}f} to {scale * score['high']:.{digits}f}".replace("-", "−")


def _points(change: dict[str, float | None]) -> str:
    value = change["value"]
    assert value is not None
    return f"{100 * value:+.1f}".replace("-", "−")


def _millions(count: float) -> str:
    return f"{count / 1e6:.1f}"
