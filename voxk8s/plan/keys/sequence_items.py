"""Items of sequences: those that the plan spells out, and those that the run has told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from voxk8s.errors import InvalidPlan
from voxk8s.plan import sequence_kernels
from voxk8s.plan.identity import operation_id
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.result_keys import constant_key, kernel_tail
from voxk8s.plan.model import OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Signature
from voxk8s.plan.visible_kernels import VisibleKernels

STRUCTURAL = frozenset(
    {
        sequence_kernels.SEQUENCE,
        sequence_kernels.RANGE,
        sequence_kernels.INDEX,
        sequence_kernels.SUBSEQUENCE,
    }
)
"""Kernels whose items or choice a plan may know."""


class Maker(Protocol):
    """Makes the terms of items."""

    terms: dict[OperationId, PartialKey]
    kernels: VisibleKernels

    def constant(self, value: Scalar) -> PartialKey:
        """Make the term of a constant."""

    def computed(
        self, signature: Signature, tail: str, arguments: Sequence[PartialKey], name: OperationId
    ) -> PartialKey:
        """Make the term of an operation that its kernel computes."""


class Items:
    """Answers what is in a sequence, within a bound for the whole plan."""

    def __init__(self, maker: Maker, values: Mapping[ResultKey, object]) -> None:
        self._maker = maker
        self._values = values
        self._told: dict[ResultKey, tuple[PartialKey, ...]] = {}
        self._counted = 0

    def count(self, more: int) -> None:
        """Refuse loops that no machine should write out."""
        if self._counted + more > sequence_kernels.MAX_ITEMS:
            raise InvalidPlan(
                f"the loops of this plan come to more than {sequence_kernels.MAX_ITEMS} operations;"
                " split the plan"
            )
        self._counted += more

    def of(self, term: PartialKey) -> tuple[PartialKey, ...] | None:
        """Give the items of a sequence if they are known; raises TypeError if it is none."""
        if term.items is not None:
            return term.items
        if term.value is not None:
            raise TypeError(f"{type(term.value).__name__} is not a sequence")
        if term.key is None or term.key not in self._values:
            return None
        if term.key not in self._told:
            value = self._values[term.key]
            if not isinstance(value, Sequence) or isinstance(value, str | bytes):
                raise TypeError(f"{type(value).__name__} is not a sequence")
            self.count(len(value))
            self._told[term.key] = tuple(self._tell(term, value))
        return self._told[term.key]

    def item(self, arguments: Sequence[PartialKey]) -> PartialKey | None:
        """Give the item that `index` picks from a sequence that the plan spells out."""
        if len(arguments) != 2 or arguments[0].items is None:
            return None
        place = sequence_kernels.whole(arguments[1].value)
        items = arguments[0].items
        return items[place] if place is not None and 0 <= place < len(items) else None

    def static(self, kernel: str, arguments: Sequence[PartialKey]) -> tuple[PartialKey, ...] | None:
        """Give the items of an operation's value if the plan spells them out."""
        if kernel == sequence_kernels.SEQUENCE:
            return tuple(arguments)
        if kernel == sequence_kernels.RANGE:
            bounds = sequence_kernels.range_bounds([term.value for term in arguments])
            if bounds is None:
                return None
            start, stop = bounds
            self.count(max(0, stop - start))
            return tuple([self._maker.constant(number) for number in range(start, stop)])
        if kernel == sequence_kernels.SUBSEQUENCE and len(arguments) == 3:
            items = arguments[0].items
            first, count = (sequence_kernels.whole(term.value) for term in arguments[1:])
            if items is not None and first is not None and count is not None:
                inside = first >= 0 and count >= 0 and first + count <= len(items)
                return items[first : first + count] if inside else None
        return None

    def _tell(self, term: PartialKey, value: Sequence[object]) -> Iterator[PartialKey]:
        """Give the items of a sequence of the run: scalars as constants, others by place."""
        maker = self._maker
        index = maker.kernels.require(sequence_kernels.INDEX, f"$.nodes.{term.id}")
        tail = kernel_tail(index.qualified, index.version)
        for place, each in enumerate(value):
            scalar = as_scalar(each)
            if scalar is not None:
                yield maker.constant(scalar)
                continue
            at = maker.constant(place)
            name = operation_id(sequence_kernels.INDEX, (term.id, at.id))
            if name not in maker.terms:
                maker.terms[name] = maker.computed(index, tail, (term, at), name)
            yield maker.terms[name]


def as_scalar(value: object) -> Scalar | None:
    """Give a value that can stand as a constant: exact types only, finite, Unicode."""
    if type(value) not in (bool, int, float, str):
        return None
    scalar: Scalar = value  # type: ignore[assignment]  # mypy does not narrow by type()
    try:
        constant_key(scalar)
    except ValueError:
        return None
    return scalar
