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
    sums: dict[str, KernelTotal] = {}
    for other in folded:
        _add(sums, other)
    for each in operations:
        if each.found or each.failed:
            continue
        seconds = each.seconds
        _add(sums, KernelTotal(each.kernel, 1, seconds, seconds, each.bytes, each.cpu_seconds))
    return tuple(sorted(sums.values(), key=lambda total: (-total.seconds, total.kernel)))


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


def _add(sums: dict[str, KernelTotal], other: KernelTotal) -> None:
    found = sums.get(other.kernel)
    if found is not None:
        other = KernelTotal(
            other.kernel,
            found.count + other.count,
            found.seconds + other.seconds,
            max(found.longest, other.longest),
            max(found.bytes, other.bytes),
            found.cpu_seconds + other.cpu_seconds,
        )
    sums[other.kernel] = other


def _by_time(operation: Operation) -> tuple[float, float, str]:
    return operation.seconds, -operation.started, operation.operation
