"""Bars of operations on rows of threads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.report.scenes import START, large, operation
from voxk8s.report import Operation
from voxk8s.report.timeline import Timeline, timeline


def lay_out(*operations: Operation, **parts: Any) -> Timeline:
    """Lay operations out in ten seconds."""
    limits = {"most_bars": 100, "most_rows": 50, **parts}
    return timeline(operations, START, START + 10, **limits)


def test_operations_of_one_thread_share_a_row() -> None:
    """What runs after another on a worker is beside it."""
    (row,) = lay_out(operation(0), operation(1), operation(2)).rows
    assert [(bar.start, bar.end) for bar in row.bars] == [(0, 1), (1, 2), (2, 3)]


def test_operations_at_the_same_time_have_rows_of_their_own() -> None:
    """A worker has as many rows as it had threads at work; the first row that is free is taken."""
    rows = lay_out(operation(0, seconds=5), operation(1), operation(2), operation(6)).rows
    assert [[bar.start for bar in row.bars] for row in rows] == [[0, 6], [1, 2]]
    assert [row.first for row in rows] == [True, False]


def test_workers_have_rows_of_their_own() -> None:
    """In the order in which they began."""
    rows = lay_out(operation(1, worker="a"), operation(0, worker="b")).rows
    assert [row.worker for row in rows] == ["b", "a"]


def test_what_was_read_or_has_no_time_is_not_drawn() -> None:
    """Found results and operations without times are left out."""
    assert lay_out(operation(0, found=True), operation(1, started=0.0)).rows == ()


def test_short_operations_are_drawn_together() -> None:
    """Bars too narrow to see become one, with the kernel that took most."""
    short = [
        operation(n, started=START + n * 1e-4, seconds=9e-5, kernel="b" if n % 3 else "a")
        for n in range(30)
    ]
    (row,) = lay_out(*short).rows
    (bar,) = row.bars
    assert (bar.count, bar.kernel, bar.operation) == (30, "b", None)
    assert bar.seconds == pytest.approx(30 * 9e-5)


def test_long_operations_stay_alone() -> None:
    """A bar that can be seen takes none in, however short the next one is."""
    (row,) = lay_out(operation(0), operation(1, seconds=1e-4), operation(2)).rows
    assert [bar.count for bar in row.bars] == [1, 1, 1]


def test_clocks_that_differ_widen_the_line() -> None:
    """Operations before the start and after the end, by the clocks of their workers, are shown."""
    line = lay_out(operation(-2), operation(12))
    assert (line.begin - START, line.seconds) == (-2, 15)


def test_rows_are_bounded() -> None:
    """Of many threads the first rows are shown, and the others counted."""
    line = lay_out(*(operation(0, worker=f"w{n}") for n in range(80)))
    assert (len(line.rows), line.omitted) == (50, 30)


def test_bars_are_bounded() -> None:
    """However many operations there are, no more bars than asked for; none is lost in them."""
    whole = large(20_000)
    line = timeline(whole.operations, START, START + whole.seconds, most_bars=500, most_rows=200)
    bars = [bar for row in line.rows for bar in row.bars]
    assert len(bars) <= 500
    assert sum(bar.count for bar in bars) == 20_000


@pytest.mark.parametrize(
    ("seconds", "step"), [(0.0042, 5e-4), (10, 1), (47, 5), (400, 60), (7200, 1200), (1e6, 172800)]
)
def test_ticks_are_round(seconds: float, step: float) -> None:
    """Five to eleven ticks at round moments, from the start."""
    line = timeline((), START, START + seconds, most_bars=1, most_rows=1)
    assert line.ticks[0] == 0
    assert line.ticks[1] == pytest.approx(step)
    assert len(line.ticks) <= 11
