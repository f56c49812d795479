"""Sums by kernel, and the operations worth a line."""

from __future__ import annotations

from tests.unit.report.scenes import operation
from voxk8s.report import KernelTotal
from voxk8s.report.totals import by_kernel, notable


def test_sums_by_kernel() -> None:
    """Count, time, longest and largest of each, the longest sum first; what was read is no work."""
    totals = by_kernel(
        [
            operation(0, kernel="a", seconds=1.0, bytes=5),
            operation(1, kernel="b", seconds=4.0, bytes=1),
            operation(2, kernel="a", seconds=2.0, bytes=7),
            operation(3, kernel="c", found=True),
        ]
    )
    assert totals == (KernelTotal("b", 1, 4.0, 4.0, 1), KernelTotal("a", 2, 3.0, 2.0, 7))


def test_sums_go_on_from_other_sums() -> None:
    """Folded operations are in the totals."""
    folded = (KernelTotal("a", 10, 5.0, 3.0, 9), KernelTotal("z", 1, 0.1, 0.1, 0))
    totals = by_kernel([operation(0, kernel="a", seconds=4.0, bytes=2)], folded)
    assert totals == (KernelTotal("a", 11, 9.0, 4.0, 9), KernelTotal("z", 1, 0.1, 0.1, 0))


def test_few_operations_are_all_notable() -> None:
    """Those that took longest come first."""
    few = [operation(0, seconds=1.0), operation(1, seconds=3.0), operation(2, seconds=2.0)]
    assert [each.seconds for each in notable(few, 3)] == [3.0, 2.0, 1.0]


def test_the_longest_and_the_largest_are_notable() -> None:
    """Of many operations a part is chosen by time and a part by size, each once."""
    many = [operation(n, seconds=float(n), bytes=100 - n) for n in range(100)]
    chosen = notable(many, 8)
    assert [each.seconds for each in chosen] == [99, 98, 97, 96, 95, 94, 1, 0]
    huge = [operation(n, seconds=float(n), bytes=n) for n in range(100)]
    assert [each.seconds for each in notable(huge, 8)] == [99, 98, 97, 96, 95, 94, 93, 92]


def test_processor_time_is_added_up() -> None:
    """Of what is folded, too."""
    folded = (KernelTotal("a", 10, 5.0, 3.0, 9, 4.5),)
    (total,) = by_kernel([operation(0, kernel="a", seconds=4.0, cpu_seconds=0.25)], folded)
    assert total.cpu_seconds == 4.75
