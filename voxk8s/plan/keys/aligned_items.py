"""Sequences that are combined item by item with one that items are left out of."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.plan.identity import operation_id
from voxk8s.plan.keys.key_graph import KeyConstant
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.sequence_gaps import ITEM_BY_ITEM, UNKNOWN_PLACE, places_matter
from voxk8s.plan.keys.sequence_items import known_items
from voxk8s.plan.model import ResultKey
from voxk8s.plan.sequence_kernels import SEQUENCE

_NUMBERS = frozenset({"number", "bool"})


def aligned(
    table: KeyTable, kernel: str, arguments: Sequence[PartialKey]
) -> Sequence[PartialKey] | str:
    """Return the arguments of an operation without the items at the gaps of one of them.

    Items of equal positions in the program belong together. Returns why it cannot be computed if
    another argument may be a sequence whose items are not known.
    """
    found = {each.gaps for each in arguments if each.gaps}
    if kernel not in ITEM_BY_ITEM or len(found) != 1:
        return arguments
    gaps = next(iter(found))
    made: list[PartialKey] = []
    for each in arguments:
        if each.gaps or each.value is not None or _is_number(table, each.key):
            made.append(each)
            continue
        try:
            items = known_items(table, each)
        except TypeError:
            made.append(each)  # a value of the run that is no sequence
            continue
        if items is None and each.key is None:
            made.append(each)  # it is looked at again when it is known
            continue
        if items is None or UNKNOWN_PLACE in gaps:
            return places_matter(kernel)
        if gaps[-1] >= len(items):
            of = kernel.rpartition(".")[2]
            return f"{of}: expected sequences of one length, got one of {len(items)} items"
        left = tuple([item for place, item in enumerate(items) if place not in gaps])
        signature = table.kernels.require(SEQUENCE, f"$.nodes.{each.id}")
        name = operation_id(SEQUENCE, [item.id for item in left])
        table.sources.setdefault(name, each.id)
        made.append(table.operation(signature, left, name, items=left))
    return made


def _is_number(table: KeyTable, key: ResultKey | None) -> bool:
    """Whether an operation's value is known to be a number, from its kernel and its arguments."""
    seen: set[ResultKey] = set()
    stack = [] if key is None else [key]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        node = table.nodes[each]
        if isinstance(node, KeyConstant):
            continue
        if node.kernel in ITEM_BY_ITEM:
            stack += node.arguments
            continue
        signature = table.kernels.index.find(node.kernel, ())
        if signature is None or signature.result not in _NUMBERS:
            return False
    return key is not None
