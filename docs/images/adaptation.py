"""The picture of docs/adaptation.md from the scores in docs/results/adaptation. Run: python docs/images/adaptation.py."""

import json
from pathlib import Path
from typing import Any

from emogram.evaluation.style import BLUE, GREEN, GREY, ORANGE, house_figure, write

RESULTS = Path(__file__).parents[1] / "results" / "adaptation"


def points(*names: str) -> tuple[list[int], list[float], dict[str, Any]]:
    """Clips of each emotion, accuracy in percent (the mean of several files), and the first file; none is at 0.5."""
    read = [json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in names]
    counts = [int(count) for count in read[0]["curve"]]
    means = [sum(100 * one["curve"][str(n)]["accuracy"]["value"] for one in read) / len(read) for n in counts]
    return counts, means, read[0]


def main() -> None:
    """Write ``adaptation.png`` beside this file."""
    with house_figure(7.2, 4.2) as figure:
        axes = figure.subplots()
        counts, means, emodb = points("emodb")
        spans = [emodb["curve"][str(count)]["accuracy"] for count in counts]
        axes.fill_between(
            counts, [100 * one["low"] for one in spans], [100 * one["high"] for one in spans], color=BLUE, alpha=0.15
        )
        lines = [
            (("tess-oaf-alone", "tess-yaf-alone"), GREEN, "s", "TESS, clips of one's own voice"),
            (("emodb",), BLUE, "o", "EmoDB, other speakers' clips (German)"),
            (("tess",), ORANGE, "^", "TESS, the other actress's clips"),
        ]
        for names, colour, marker, label in lines:
            counts, means, first = points(*names)
            axes.plot(counts, means, color=colour, marker=marker, markersize=5, label=label)
            before = 100 * first["before"]["metrics"]["accuracy"]["value"]
            axes.plot([0.5, counts[0]], [before, means[0]], color=colour, marker=marker, markersize=5, linestyle=":")
        axes.set_xscale("log", base=2)
        ticks = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256]
        axes.set_xticks(ticks, ["none", *(f"{tick:g}" for tick in ticks[1:])])
        axes.set_ylim(40, 102)
        axes.grid(axis="y")
        axes.tick_params(axis="x", color=GREY)
        axes.set(xlabel="clips of each emotion that the model was adapted to", ylabel="accuracy, %")
        axes.legend(loc="lower right")
        write(figure, Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
