"""The figure of a range test."""

import numpy as np

from emogram.evaluation.rate_figure import range_test

RATES = np.geomspace(1e-5, 1.0, 50)


def test_the_curve_and_both_suggestions_are_drawn() -> None:
    losses = (np.log10(RATES) + 2) ** 2
    figure = range_test(RATES, losses, losses, steepest=1e-4, minimum=1e-2, title="Toy")
    [axes] = figure.axes
    assert axes.get_title(loc="left") == "Toy"
    assert axes.get_xscale() == "log"
    marks = {line.get_label(): line.get_xdata() for line in axes.lines}
    assert marks["steepest descent: 0.0001"] == [1e-4]
    assert marks["a tenth of the minimum: 0.001"] == [1e-3]
    assert marks["minimum: 0.01"] == [1e-2]
    assert np.array_equal(marks["smoothed"], RATES)


def test_an_explosion_does_not_squash_the_curve() -> None:
    losses = np.ones(50)
    losses[10] = 0.5
    losses[-1] = 1e6
    figure = range_test(RATES, losses, losses, steepest=1e-4, minimum=1e-2)
    assert figure.axes[0].get_ylim()[1] < 1e5
