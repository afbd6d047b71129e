"""Apportioning clips to parts, exactly, and drawing by their names."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emogram.splits.draw import apportion, number


class TestApportion:
    @given(st.integers(0, 10_000), st.lists(st.floats(0.001, 1), min_size=1, max_size=9))
    def test_adds_up_and_stays_within_one_of_the_quota(self, total: int, weights: list[float]) -> None:
        counts = apportion(total, weights)
        assert sum(counts) == total
        whole = sum(map(Fraction, weights))
        for count, weight in zip(counts, weights, strict=True):
            assert abs(count - total * Fraction(weight) / whole) < 1 + 1e-6

    @pytest.mark.parametrize(("total", "expected"), [(1440, [1008, 144, 288]), (535, [375, 53, 107]), (3, [2, 0, 1])])
    def test_largest_remainder(self, total: int, expected: list[int]) -> None:
        assert apportion(total, (0.7, 0.1, 0.2)) == expected


def test_a_name_that_is_no_utf_8_draws_too() -> None:
    assert len({number("own/\udcfcbung"), number("own/\udcfdbung"), number("own/übung")}) == 3
