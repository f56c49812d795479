"""The kernels whose results an operation depends on, for the provenance of its record.

Most intermediate results have no records, so what depends on a kernel cannot be found by following
the arguments of records alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, ResultKey
from voxk8s.plan.kernel_version import KernelVersion

_MAX_REMEMBERED: Final = 8
"""Unions of more collections are made each time."""


class Ancestry:
    """The kernels below the operations of one plan; each operation is visited once.

    Operations share few distinct collections of kernels: each is kept once and has a number, and so
    has the union of collections with these numbers.
    """

    def __init__(self) -> None:
        self._number: dict[ResultKey, int] = {}
        """The kernels of an operation and of all below it."""
        self._collections: list[tuple[str, ...]] = [()]
        self._numbers: dict[tuple[str, ...], int] = {(): 0}
        self._unions: dict[tuple[str | int, ...], int] = {}
        self._names: dict[tuple[str, int], tuple[str, KernelVersion]] = {}
        """Kernels with their versions as one text, and the version, which keeps its identity."""

    def below(self, key: ResultKey, nodes: Mapping[ResultKey, KeyNode]) -> tuple[str, ...]:
        """Return the kernels of all operations that an operation needs, by `KernelVersion.of`."""
        known = self._number
        if key not in known:
            self._visit(key, nodes)
        return self._collections[self._union("", [known[each] for each in nodes[key].arguments])]

    def _visit(self, key: ResultKey, nodes: Mapping[ResultKey, KeyNode]) -> None:
        known = self._number
        stack = [key]
        while stack:
            last = stack[-1]
            node = nodes[last]
            if isinstance(node, KeyConstant):
                known[last] = 0
                stack.pop()
                continue
            numbers: list[int] = []
            for argument in node.arguments:
                number = known.get(argument)
                if number is None:
                    stack.append(argument)
                else:
                    numbers.append(number)
            if stack[-1] == last:
                stack.pop()
                known[last] = self._union(self._name(node), numbers)

    def _union(self, own: str, numbers: list[int]) -> int:
        recipe: tuple[str | int, ...] = (own, *numbers)
        found = self._unions.get(recipe)
        if found is None:
            kernels = {own} if own else set()
            kernels.update(*(self._collections[number] for number in numbers))
            names = tuple(sorted(kernels))
            found = self._numbers.setdefault(names, len(self._collections))
            if found == len(self._collections):
                self._collections.append(names)
            # A sequence of many items would be as large as its operation itself.
            if len(numbers) <= _MAX_REMEMBERED:
                self._unions[recipe] = found
        return found

    def _name(self, node: KeyOperation) -> str:
        place = (node.kernel, id(node.version))
        found = self._names.get(place)
        if found is None:
            found = self._names[place] = (node.version.of(node.kernel), node.version)
        return found[0]
