"""Totals by kernel, and the operations that get a line of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest

from voxk8s.report.run_data import KernelTotal, Operation

_BY_TIME = 0.75
"""Fraction of the lines for the longest operations; the rest is for the largest values."""


def by_kernel(
    operations: Iterable[Operation], folded: Iterable[KernelTotal] = ()
) -> tuple[KernelTotal, ...]:
    """Return totals by kernel of computed operations and of `folded` totals, longest first."""
    sums: dict[str, list[float]] = {}
    for other in folded:
        _add(sums, other.kernel, other.count, other.seconds, other.longest, other.bytes)
    for each in operations:
        if each.found or each.failed:
            continue
        _add(sums, each.kernel, 1, each.seconds, each.seconds, each.bytes)
    totals = (
        KernelTotal(kernel, int(count), seconds, longest, int(most))
        for kernel, (count, seconds, longest, most) in sums.items()
    )
    return tuple(sorted(totals, key=lambda total: (-total.seconds, total.kernel)))


def notable(operations: Sequence[Operation], most: int) -> tuple[Operation, ...]:
    """Return operations that failed, took longest or have the largest values, longest first."""
    if len(operations) <= most:
        return tuple(sorted(operations, key=_by_time, reverse=True))
    chosen = [each for each in operations if each.failed][: int(most * (1 - _BY_TIME))]
    left = int(most * _BY_TIME)
    chosen += nlargest(left, (each for each in operations if not each.failed), key=_by_time)
    names = set(map(id, chosen))
    large = nlargest(most, operations, key=lambda each: (each.bytes, _by_time(each)))
    chosen += [each for each in large if id(each) not in names][: most - len(chosen)]
    return tuple(sorted(chosen, key=_by_time, reverse=True))


def _add(
    sums: dict[str, list[float]],
    kernel: str,
    count: float,
    seconds: float,
    longest: float,
    size: float,
) -> None:
    found = sums.get(kernel)
    if found is None:
        sums[kernel] = [count, seconds, longest, size]
        return
    found[0] += count
    found[1] += seconds
    found[2] = max(found[2], longest)
    found[3] = max(found[3], size)


def _by_time(operation: Operation) -> tuple[float, float, str]:
    return operation.seconds, -operation.started, operation.operation
