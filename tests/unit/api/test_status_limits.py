"""Limits of results and failures in the status."""

from __future__ import annotations

import math

import msgspec
import pytest

from voxk8s.api.status import GoalResult, OperationFailure
from voxk8s.api.status_limits import (
    FAILURES_LIMIT,
    MAX_FAILURES,
    MAX_RESULTS,
    RESULTS_LIMIT,
    VALUE_LIMIT,
    bound_failures,
    bound_results,
    json_value,
    printed_line,
    truncate_value,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.5, 1.5),
        (math.inf, "inf"),
        (2**70, str(2**70)),
        ((1, {"a": None}), [1, {"a": None}]),
        ("\ud800", "?"),
    ],
)
def test_values_become_json(value: object, shown: object) -> None:
    """Values that JSON or the API server cannot represent become text."""
    assert truncate_value(value) == (shown, False)
    assert json_value(value) == shown


@pytest.mark.parametrize("value", ["é" * 5000, list(range(5000)), {"a": "x" * 5000}])
def test_long_values_are_truncated(value: object) -> None:
    """The beginning of a long value is kept, within the limit."""
    shown, truncated = truncate_value(value)
    assert truncated
    assert len(msgspec.json.encode(shown)) <= VALUE_LIMIT
    if isinstance(value, list):
        assert shown == value[: len(shown)]


def test_results_are_bounded_by_number_and_size() -> None:
    """The first results are kept, and the number of the others is returned."""
    small = [GoalResult(goal=str(n), kind="print", value=n) for n in range(MAX_RESULTS + 5)]
    shown, omitted = bound_results(small)
    assert (shown, omitted) == (tuple(small[:MAX_RESULTS]), 5)
    large = [GoalResult(goal="x" * 4000, kind="print", value=1)] * 100
    shown, omitted = bound_results(large)
    assert sum(len(msgspec.json.encode(each)) for each in shown) <= RESULTS_LIMIT
    assert len(shown) + omitted == 100
    assert omitted > 0


def test_failures_are_bounded_by_number_and_size() -> None:
    """The same holds for failures."""
    failures = [OperationFailure(operation="a", kernel="k", message="m")] * (MAX_FAILURES + 1)
    assert bound_failures(failures) == (tuple(failures[:MAX_FAILURES]), 1)
    large = [OperationFailure(operation="a", kernel="k", message="m" * 4000)] * 50
    shown, _ = bound_failures(large)
    assert sum(len(msgspec.json.encode(each)) for each in shown) <= FAILURES_LIMIT


def test_long_names_of_goals_are_cut() -> None:
    """The CRD accepts no longer ones: the whole status would be rejected."""
    (kept,), omitted = bound_results([GoalResult(goal="x" * 100_000, kind="print", value=1)])
    assert (len(kept.goal), kept.goal[-1], omitted) == (4096, "…", 0)
    (same,), _ = bound_results([GoalResult(goal="x" * 4096, kind="print", value=1)])
    assert same.goal == "x" * 4096


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (709723.0, "709723.0"),
        (1e16, "1e+16"),
        ([1.0, 2.5], "[1.0,2.5]"),
        ({"n": [0, 2.0]}, '{"n":[0,2.0]}'),
        (2.5, None),
        (3, None),
        ("2.0", None),
        (True, None),
        (float("inf"), None),
        ([1.0] * 3000, None),
    ],
)
def test_a_value_that_the_api_server_changes_has_its_line(value: object, line: str | None) -> None:
    """So that a cluster prints what a laptop prints."""
    assert printed_line(value) == line


def test_integers_of_thousands_of_digits_are_described() -> None:
    """Python writes none."""
    assert truncate_value([10**5000]) == (["an integer of 16610 bits"], False)
