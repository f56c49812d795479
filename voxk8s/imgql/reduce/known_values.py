"""Evaluates numbers and texts that a program spells out: the names of files that it writes.

The plan is not changed by this: only what must be known before the run is evaluated.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Final

from voxk8s.imgql.reduce.node_table import NodeTable, postorder
from voxk8s.plan import sequence_kernels
from voxk8s.plan.model import Operation, OperationId, Scalar
from voxk8s.plan.text_template import fill_template

_CONCAT: Final = "strings.concat"
_FORMAT: Final = "strings.format_string"
_MAX_TEXT: Final = 4096
"""Longest text: names of files are shorter."""
_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "default.addition": operator.add,
    "default.subtraction": operator.sub,
    "default.multiplication": operator.mul,
    "default.division": operator.truediv,
}


class KnownValues:
    """The values of nodes that do not depend on the run, as far as they are numbers or texts."""

    def __init__(self, table: NodeTable) -> None:
        self._table = table
        self._reduced: dict[OperationId, OperationId] = {}

    def scalar(self, name: OperationId) -> Scalar | None:
        """Return the number, text or truth value of a node, None if only the run knows it."""
        for each in postorder([name], self._unreduced):
            self._reduced[each] = self._reduce(each)
        return self._table.scalar(self._reduced[name])

    def _unreduced(self, name: OperationId) -> Sequence[OperationId]:
        """Return what the value of a node may depend on, as far as it is not known yet."""
        if name in self._reduced or not self._is_evaluated(name):
            return ()
        return self._table.needed(name)

    def _is_evaluated(self, name: OperationId) -> bool:
        kernel = self._kernel(name)
        return kernel in _ARITHMETIC or kernel in (
            _CONCAT,
            _FORMAT,
            sequence_kernels.INDEX,
            sequence_kernels.SEQUENCE,
        )

    def _kernel(self, name: OperationId) -> str:
        signature = self._table.signatures.get(name)
        return "" if signature is None else signature.qualified

    def _reduce(self, name: OperationId) -> OperationId:
        """Return the node of the value of a node; itself if that is not known."""
        if name in self._reduced:
            return self._reduced[name]
        kernel = self._kernel(name)
        arguments = [self._reduced.get(each, each) for each in self._table.needed(name)]
        if kernel == sequence_kernels.INDEX:
            return self._item(name, *arguments)
        if kernel == sequence_kernels.SEQUENCE or not self._is_evaluated(name):
            return name
        values = [self._table.scalar(each) for each in arguments]
        given = [each for each in values if each is not None]
        if len(given) < len(values):
            return name
        value = _text(kernel, given) if kernel in (_CONCAT, _FORMAT) else _number(kernel, given)
        return name if value is None else self._table.constant(value)

    def _item(self, name: OperationId, sequence: OperationId, index: OperationId) -> OperationId:
        node = self._table.nodes[sequence]
        position = sequence_kernels.as_integer(self._table.scalar(index))
        if (
            not isinstance(node, Operation)
            or self._kernel(sequence) != sequence_kernels.SEQUENCE
            or position is None
            or not 0 <= position < len(node.arguments)
        ):
            return name
        item = node.arguments[position]
        return self._reduced.get(item, item)


def _number(kernel: str, values: Sequence[Scalar]) -> float | None:
    """Return the result of an operation on two numbers, None where the run will report an error."""
    left, right = values
    if isinstance(left, str) or isinstance(right, str):
        return None
    try:
        result = _ARITHMETIC[kernel](float(left), float(right))
    except (ZeroDivisionError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def _text(kernel: str, values: Sequence[Scalar]) -> str | None:
    """Return the text that values are put together to, None where the run will report an error."""
    if kernel == _CONCAT:
        text = "".join(map(_as_text, values))
    else:
        template, *arguments = values
        if not isinstance(template, str):
            return None
        try:
            text = fill_template(template, arguments, _as_text)
        except (ValueError, LookupError, TypeError, OverflowError):
            return None
    return text if len(text) <= _MAX_TEXT else None


def _as_text(value: object) -> str:
    """Return a number, text or truth value as kernels write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
