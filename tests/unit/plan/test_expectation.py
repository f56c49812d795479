"""Tests of expected values."""

from __future__ import annotations

import math

import pytest

from voxk8s.plan.expectation import Expectation, describe_differences, differences


@pytest.mark.parametrize(
    ("value", "within", "found", "met"),
    [
        (0.85, 0.01, 0.859, True),
        (0.85, 0.01, 0.8601, False),
        (3.0, 0.0, 3, True),
        (3.0, 1.0, math.nan, False),
        (True, 0.0, True, True),
        (True, 0.0, 1.0, False),
        (1.0, 0.0, True, False),
        ("a", 0.0, "a", True),
        (1.0, 0.0, [1.0], False),
        (1.0, 0.5, 10**400, False),
        (10**400, 0.5, 1.0, False),
        (10**400, 0.0, 10**400, True),
    ],
)
def test_a_value_meets_an_expectation(
    value: float | str, within: float, found: object, met: bool
) -> None:
    """Numbers within the tolerance, all else if it is the same."""
    assert (Expectation("x", value, within).difference(found) is None) is met


def test_a_difference_says_both_values() -> None:
    """And the tolerance, if there is one."""
    assert Expectation("dice", 0.5, 0.1).difference(0.7) == (
        "dice: expected 0.5 within 0.1, found 0.7"
    )
    assert Expectation("ok", True).difference([1]) == (
        "ok: expected true, found another kind of value"
    )


def test_a_difference_of_long_values_is_short() -> None:
    """It is part of a message, and an integer may have more digits than Python writes."""
    assert Expectation("n", 1.0).difference(10**5000) == (
        "n: expected 1.0, found an integer of 16610 bits"
    )
    assert len(Expectation("s", "a").difference("b" * 10**6) or "") < 300


def test_only_values_that_are_there_are_compared() -> None:
    """A goal that failed has a message of its own."""
    expected = [Expectation("a", 1.0), Expectation("b", 2.0), Expectation("c", 3.0)]
    found = differences(expected, {"a": 1.0, "b": 5.0})
    assert found == ["b: expected 2.0, found 5.0"]
    assert describe_differences([*found, "d"]) == (
        "All goals were reached, but 2 values are not as expected: b: expected 2.0, found 5.0; d"
    )
