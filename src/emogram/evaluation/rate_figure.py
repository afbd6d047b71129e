"""The figure of a learning-rate range test: loss against rate, with the two rates that it suggests."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emogram.evaluation.style import BLUE, GREEN, INK, ORANGE, PALE, house_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def range_test(
    rates: npt.NDArray[np.float64],
    losses: npt.NDArray[np.float64],
    smoothed: npt.NDArray[np.float64],
    *,
    steepest: float,
    minimum: float,
    title: str = "Learning-rate range test",
) -> "Figure":
    """Loss against learning rate.

    Args:
        rates: rising, [S].
        losses: of single batches, [S].
        smoothed: losses, [S].
        steepest: rate where the smoothed loss falls fastest.
        minimum: rate where it is lowest; a tenth of it is marked too.
        title: above the figure.
    """
    with house_figure(7.2, 4.2) as figure:
        axes = figure.subplots()
        axes.semilogx(rates, losses, color=PALE, linewidth=1, label="single batches")
        axes.semilogx(rates, smoothed, color=BLUE, label="smoothed")
        marks = (
            (steepest, GREEN, "o", "steepest descent"),
            (minimum / 10, ORANGE, "D", "a tenth of the minimum"),
            (minimum, INK, "v", "minimum"),
        )
        for rate, colour, marker, label in marks:
            inside = rates[0] <= rate
            height = float(np.interp(np.log10(rate), np.log10(rates), smoothed))
            axes.plot(
                [rate],
                [height],
                marker if inside else "<",
                color=colour,
                markersize=7,
                zorder=3,
                label=f"{label}: {rate:.2g}",
            )
        room = 0.08 * (float(smoothed.max()) - float(smoothed.min()) or 1.0)
        highest = max(float(np.percentile(losses, 95)), float(np.percentile(smoothed, 95)))
        axes.set_ylim(float(min(losses.min(), smoothed.min())) - room, highest + room)
        axes.set(xlabel="learning rate", ylabel="loss of a batch", title=title)
        axes.grid(axis="both")
        figure.legend(loc="outside lower center", ncols=3)
    return figure
