"""Geometry of the charts."""

import math

import pytest

from emogram.report.charts import curves, reliability, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (1.0, 12.0, [5, 10]),
        (0.0, 2.3, [0, 0.5, 1, 1.5, 2]),
        (1.0, 300.0, [100, 200, 300]),
        (0.0, 0.004, [0, 0.001, 0.002, 0.003, 0.004]),
        (3.0, 3.0, [3]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize("span", [10.0**power * factor for power in range(-6, 7) for factor in (1.0, 1.7, 4.9, 9.99)])
def test_ticks_are_neither_many_nor_none(span: float) -> None:
    assert 2 <= len(ticks(0.0, span)) <= 6


def test_curve_rises_where_its_values_rise() -> None:
    chart = curves("Accuracy", [1, 2, 3], {"training": [0.1, 0.5, 1.0]}, percent=True, best_epoch=2)
    assert chart is not None
    points = [tuple(map(float, point.split(","))) for point in chart.lines[0].points.split()]
    assert points[0][0] == chart.left
    assert points[-1] == (chart.right, chart.top)
    assert points[0][1] > points[1][1] > points[2][1]
    assert chart.marked_x == pytest.approx((chart.left + chart.right) / 2)
    assert "training 100%" in chart.description


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert curves("Loss", [], {}, percent=False) is None
    assert curves("Loss", [1, 2], {"training": [math.nan, math.inf]}, percent=False) is None
    chart = curves("Loss", [1, 2], {"training": [math.nan, 0.5], "validation": [math.nan] * 2}, percent=False)
    assert chart is not None
    assert [line.name for line in chart.lines] == ["training"]
    assert len(chart.lines[0].points.split()) == 1


@pytest.mark.parametrize("loss", [0.0, 1e-9, 1e9])
def test_one_epoch_of_any_loss_can_be_drawn(loss: float) -> None:
    chart = curves("Loss", [1], {"training": [loss]}, percent=False)
    assert chart is not None
    x, y = map(float, chart.lines[0].points.split(","))
    assert chart.left <= x <= chart.right
    assert chart.top <= y <= chart.bottom


def test_perfect_calibration_lies_on_the_diagonal() -> None:
    chart = reliability([10, 40], [0.25, 0.75], [0.25, 0.75])
    assert chart is not None
    for dot, share in zip(chart.dots, (0.25, 0.75), strict=True):
        assert (dot.x - chart.left) / (chart.right - chart.left) == pytest.approx(share)
        assert (chart.bottom - dot.y) / (chart.bottom - chart.top) == pytest.approx(share)
    assert chart.dots[1].radius > chart.dots[0].radius
    assert reliability([], [], []) is None
