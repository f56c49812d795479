"""Keys of what depends on truth values: the branch of a choice, the items that a filter keeps.

Neither is computed by a kernel. As soon as the truth values are known, the branch or the items
stand for the operation: what was not chosen is not computed, and what was is the same result under
the same key as elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.sequence_gaps import UNKNOWN_PLACE, places
from voxk8s.plan.keys.sequence_items import known_items
from voxk8s.plan.model import OperationId
from voxk8s.plan.sequence_kernels import SEQUENCE

_UNKNOWN: Final = object()


def key_of_choice(
    table: KeyTable, arguments: Sequence[PartialKey], name: OperationId
) -> PartialKey:
    """Return the key of `choose(c, a, b)`: that of `a` or `b`, or none before `c` is known."""
    condition, first, second = arguments
    value = condition.value
    if value is None:
        if condition.key is None:
            return PartialKey(name, None, waits=(condition,))
        if condition.key not in table.values:
            return table.defer(name, condition.key)
        found = table.values[condition.key]
    else:
        found = value
    if not isinstance(found, bool | int | float):
        return table.reject(name, "if: expected a truth value between `if` and `then`")
    return first if found else second


def key_of_kept(table: KeyTable, arguments: Sequence[PartialKey], name: OperationId) -> PartialKey:
    """Return the key of `keep(xs, flags)`, a sequence of items of `xs`, or none as long as unknown.

    Flags are looked at first: the items themselves may be images.
    """
    sequence, flags = arguments
    truth = _truth_values(table, flags)
    if truth is _UNKNOWN:
        if flags.key is None:
            return PartialKey(name, None, waits=(flags,))
        return table.defer(name, flags.key)
    if not isinstance(truth, list):
        return table.reject(name, "filter: expected a truth value for each item")
    try:
        items = known_items(table, sequence)
    except TypeError as error:
        return table.reject(name, f"filter: {error}")
    if items is None:
        if sequence.key is None:
            return PartialKey(name, None, waits=(sequence,))
        return table.defer(name, sequence.key)
    of_items, of_flags = places(len(items), sequence.gaps), places(len(truth), flags.gaps)
    gaps = {*sequence.gaps, *flags.gaps}
    if not gaps and len(items) != len(truth):
        return table.reject(
            name, f"keep: expected a flag for each of {len(items)} items, got {len(truth)}"
        )
    loop = table.loops.get(flags.id)
    of_one = loop is not None and loop.sources is items
    if gaps and not of_one and ({*of_items, *gaps} != {*of_flags, *gaps} or UNKNOWN_PLACE in gaps):
        return table.reject(name, "keep: the items and the flags are not of one sequence")
    flag_at = dict(zip(of_flags, truth, strict=True))
    kept = tuple([item for at, item in zip(of_items, items, strict=True) if flag_at.get(at)])
    signature = table.kernels.require(SEQUENCE, f"$.nodes.{name}")
    return table.operation(signature, kept, name, kept, (UNKNOWN_PLACE,) if gaps else ())


def _truth_values(table: KeyTable, flags: PartialKey) -> object:
    """Return the truth values of a sequence, None if it has others, `_UNKNOWN` before the run."""
    if flags.key is not None and flags.key in table.values:
        values = table.values[flags.key]
    elif isinstance(flags.items, range):
        values = list(flags.items)
    elif flags.items is not None and all(item.value is not None for item in flags.items):
        values = [item.value for item in flags.items]
    elif flags.value is not None:
        return None
    else:
        return _UNKNOWN
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return None
    found = list(values)
    return found if all(isinstance(each, bool | int | float) for each in found) else None
