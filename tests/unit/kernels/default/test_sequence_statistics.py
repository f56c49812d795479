"""Tests of statistics of sequences of numbers."""

from __future__ import annotations

import fractions
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import call
from voxk8s.errors import KernelError
from voxk8s.values import Value

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(xs=numbers)
def test_statistics_agree_with_the_standard_library(xs: list[float]) -> None:
    """Mean, median, stdev, argmax and argsort are what Python and numpy give."""
    assert call("default.mean", xs) == pytest.approx(statistics.fmean(xs), rel=1e-12, abs=1e-9)
    assert call("default.median", xs) == pytest.approx(statistics.median(xs))
    expected = statistics.stdev(xs) if len(xs) > 1 else 0.0
    assert call("default.stdev", xs) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert call("default.argmax", xs) == int(np.argmax(xs))
    assert call("default.argsort", xs) == np.argsort(xs, kind="stable").tolist()


@pytest.mark.parametrize("name", ["mean", "median", "stdev", "argmax", "argsort"])
@pytest.mark.parametrize("xs", [[], ["a"], [1.0, math.nan], 3.0])
def test_statistics_of_anything_else_are_errors(name: str, xs: Value) -> None:
    """Empty sequences, strings, NaN and single numbers are refused by name."""
    with pytest.raises(KernelError, match=name):
        call(f"default.{name}", xs)


def test_tally_counts_distinct_items() -> None:
    """Each distinct item comes once with its count, ascending."""
    assert call("default.tally", [0.2, 0.1, 0.2]) == [[0.1, 1], [0.2, 2]]
    assert call("default.tally", ["b", "a", "b"]) == [["a", 1], ["b", 2]]
    assert call("default.tally", []) == []
    with pytest.raises(KernelError, match="either strings or numbers"):
        call("default.tally", ["a", 1.0])
    with pytest.raises(KernelError, match="tally: expected numbers, strings or truth values"):
        call("default.tally", [[1]])


@given(xs=st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=9), power=st.integers(-900, 500))
def test_statistics_at_any_scale(xs: list[float], power: int) -> None:
    """Neither sums nor squares overflow or vanish: deviation and mean scale with the items."""
    scaled = [math.ldexp(math.ldexp(x, -500), power) for x in xs]
    exact = [fractions.Fraction(x) for x in scaled]
    zero = fractions.Fraction()
    mean = sum(exact, zero) / len(exact)
    variance = sum(((x - mean) ** 2 for x in exact), zero) / (len(exact) - 1)
    largest = fractions.Fraction(max(map(abs, scaled)))
    if largest < fractions.Fraction(1e-300):
        return  # below the normal numbers digits are lost
    found = [call(f"default.{name}", scaled) for name in ("mean", "stdev")]
    assert isinstance(found[0], float)
    assert isinstance(found[1], float)
    assert abs(fractions.Fraction(found[0]) - mean) <= largest / 10**15
    assert abs(fractions.Fraction(found[1]) ** 2 - variance) <= largest**2 / 10**13


def test_statistics_of_the_largest_numbers() -> None:
    """What float64 can hold is given, what it cannot hold is an error of the kernel."""
    assert call("default.mean", [1e308, 1e308, 1e308]) == pytest.approx(1e308)
    assert call("default.median", [1e308, 1.7e308]) == pytest.approx(1.35e308)
    assert call("default.stdev", [1e300, 0.0]) == pytest.approx(math.sqrt(0.5) * 1e300)
    assert call("default.stdev", [1e-200, 0.0]) == pytest.approx(math.sqrt(0.5) * 1e-200)
    assert call("default.mean", [math.inf, 1.0]) == math.inf
    for name, xs in (
        ("mean", [math.inf, -math.inf]),
        ("median", [math.inf, -math.inf]),
        ("stdev", [math.inf, 1.0]),
        ("stdev", [1.7e308, -1.7e308]),
        ("argmax", [10**400]),
    ):
        with pytest.raises(KernelError, match=name):
            call(f"default.{name}", xs)
