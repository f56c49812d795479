"""Items of sequences: those that the plan spells out, and those of values of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voxk8s.plan.identity import operation_id
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.result_keys import constant_key
from voxk8s.plan.keys.sequence_gaps import UNKNOWN_PLACE
from voxk8s.plan.model import Scalar
from voxk8s.plan.sequence_kernels import (
    INDEX,
    RANGE,
    SEQUENCE,
    SUBSEQUENCE,
    as_integer,
    range_bounds,
)


def known_items(table: KeyTable, sequence: PartialKey) -> tuple[PartialKey, ...] | None:
    """Return the items of a sequence, None if they are not known.

    Raises TypeError for a value that is not a sequence, and InvalidPlan for too many items.
    """
    if sequence.items is not None:
        if isinstance(sequence.items, range):
            return tuple([table.constant(number) for number in sequence.items])
        return sequence.items
    if sequence.value is not None:
        raise TypeError(f"{type(sequence.value).__name__} is not a sequence")
    key = sequence.key
    if key is None or key not in table.values:
        return None
    if key not in table.items:
        value = table.values[key]
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise TypeError(f"{type(value).__name__} is not a sequence")
        table.count(len(value))
        table.items[key] = tuple(_items_of_value(table, sequence, value))
    return table.items[key]


def indexed_item(table: KeyTable, arguments: Sequence[PartialKey]) -> PartialKey | None:
    """Return the item that `index` takes from a sequence that the plan spells out."""
    if len(arguments) != 2:
        return None
    position = as_integer(arguments[1].value)
    items, gaps = arguments[0].items, arguments[0].gaps
    if items is None or position is None or position in gaps or UNKNOWN_PLACE in gaps:
        return None
    position -= sum(gap < position for gap in gaps)
    if not 0 <= position < len(items):
        return None
    item = items[position]
    return table.constant(item) if isinstance(item, int) else item


def spelled_items(
    table: KeyTable, kernel: str, arguments: Sequence[PartialKey]
) -> tuple[PartialKey, ...] | range | None:
    """Return the items of an operation's value if the plan spells them out."""
    if kernel == SEQUENCE:
        return tuple(arguments)
    if kernel == RANGE:
        bounds = range_bounds([argument.value for argument in arguments])
        if bounds is None:
            return None
        start, stop = bounds
        table.count(max(0, stop - start))
        return range(start, stop)
    if kernel == SUBSEQUENCE and len(arguments) in (2, 3):
        items = arguments[0].items
        first = as_integer(arguments[1].value)
        if items is not None and first is not None:
            last = arguments[2] if len(arguments) == 3 else None
            count = as_integer(last.value) if last is not None else max(0, len(items) - first)
            if count is None:
                return None
            if last is None and first > len(items):
                return ()
            inside = first >= 0 and count >= 0 and first + count <= len(items)
            return items[first : first + count] if inside else None
    return None


def _items_of_value(
    table: KeyTable, sequence: PartialKey, value: Sequence[object]
) -> Iterator[PartialKey]:
    """Return scalars as constants, and other items as `index` operations on the sequence."""
    index = table.kernels.require(INDEX, f"$.nodes.{sequence.id}")
    for position, item in enumerate(value):
        scalar = as_scalar(item)
        if scalar is not None:
            yield table.constant(scalar)
            continue
        at = table.constant(position)
        name = operation_id(INDEX, (sequence.id, at.id))
        if name not in table.partial:
            table.partial[name] = table.operation(index, (sequence, at), name)
        yield table.partial[name]


def as_scalar(value: object) -> Scalar | None:
    """Return a value that can be a constant: exact types only, finite, Unicode; else None."""
    if type(value) not in (bool, int, float, str):
        return None
    scalar: Scalar = value  # type: ignore[assignment]  # mypy does not narrow by type()
    try:
        constant_key(scalar)
    except ValueError:
        return None
    return scalar
