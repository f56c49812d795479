"""What may be computed from sequences that some items are left out of, since they have failed.

The positions of the items that are left are not those of the program any more: what depends on
positions would give a wrong value without a word, so it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.sequence_kernels import RECOVER, SEQUENCE

UNKNOWN_PLACE: Final = -1
"""A gap of a filter's value: whether the item would have been kept is not known."""

Gaps = tuple[int, ...]

_AGGREGATES: Final = frozenset(
    {
        SEQUENCE,
        "default.mean",
        "default.median",
        "default.stdev",
        "default.tally",
        "sequences.length",
        "sequences.sum",
        "vox1.max",
        "vox1.min",
    }
)
"""Kernels whose value depends on the items, and not on their positions."""
ITEM_BY_ITEM: Final = frozenset(
    {
        "default.addition",
        "default.subtraction",
        "default.multiplication",
        "default.division",
        "default.floor",
        "sequences.combine",
    }
)
"""Kernels that combine items of equal positions."""


def places(count: int, gaps: Gaps) -> list[int]:
    """Return the positions in the program of `count` items beside `gaps`."""
    left_out = {each for each in gaps if each != UNKNOWN_PLACE}
    return [each for each in range(count + len(left_out)) if each not in left_out]


def with_gaps(gaps: Gaps, more: Sequence[int]) -> Gaps:
    """Return the union of gaps, ascending."""
    return tuple(sorted({*gaps, *more}))


def gaps_of_value(kernel: str, arguments: Sequence[PartialKey]) -> Gaps | str:
    """Return the gaps of an operation's value, or why it cannot be computed."""
    found = [each.gaps for each in arguments if each.gaps]
    if not found or kernel in _AGGREGATES:
        return ()
    if kernel == RECOVER and arguments[0].gaps:
        return arguments[0].gaps
    if kernel in ITEM_BY_ITEM:
        alike = len(set(found)) == 1 and (len(found) == 1 or UNKNOWN_PLACE not in found[0])
        if alike:
            return found[0]
    return places_matter(kernel)


def places_matter(kernel: str) -> str:
    """Return why an operation cannot be computed from sequences that items are left out of."""
    name = kernel.rpartition(".")[2]
    return (
        f"{name}: items of its sequence have failed and are skipped, and its value depends on the"
        " positions of the items; recover(e, value) gives an item that fails a value"
    )
