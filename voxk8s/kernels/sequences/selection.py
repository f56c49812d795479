"""Items of sequences that are chosen by truth values or indices.

In a plan, `choose` and `keep` are decided as soon as their truth values are known, and are not
called: what was not chosen is never computed.
"""

from __future__ import annotations

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_integer, require_sequence
from voxk8s.values import Value


def choose(c: Value, a: Value, b: Value) -> Value:
    """Return `a` if `c` is true, else `b`; numbers are true if they are not zero."""
    return a if _truth("choose", c) else b


def keep(xs: Value, flags: Value) -> Value:
    """Return the items of `xs` whose flag is true; KernelError unless each has one."""
    items, chosen = require_sequence("keep", xs), require_sequence("keep", flags)
    if len(items) != len(chosen):
        raise KernelError(
            f"keep: expected a flag for each of {len(items)} items, got {len(chosen)}"
        )
    return [item for item, flag in zip(items, chosen, strict=True) if _truth("keep", flag)]


def recover(e: Value, value: Value) -> Value:
    """Return `e`; where an operation of `e` fails, the engine gives `value` in place of it.

    That is so for failures that follow from the operation and its arguments, such as a damaged
    file or an empty mask: they are reported, and the run goes on. Workers and stores that are lost
    are no reason.
    """
    del value
    return e


def gather(xs: Value, indices: Value) -> Value:
    """Return the items at `indices`, counted from 0, in that order; KernelError out of range."""
    items = require_sequence("gather", xs)
    positions = [require_integer("gather", each) for each in require_sequence("gather", indices)]
    for position in positions:
        if not 0 <= position < len(items):
            raise KernelError(
                f"gather: {position} is out of range: the sequence has {len(items)} items"
            )
    return [items[position] for position in positions]


def _truth(kernel: str, value: Value) -> bool:
    if not isinstance(value, bool | int | float):
        raise KernelError(f"{kernel}: expected a truth value, got {describe(value)}")
    return bool(value)
