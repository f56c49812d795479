"""The kernels whose results an operation depends on, for the provenance of its record.

Most intermediate results have no records, so what depends on a kernel cannot be found by following
the arguments of records alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, ResultKey
from voxk8s.plan.kernel_version import KernelVersion


class Ancestry:
    """The kernels below the operations of one plan; each operation is visited once.

    A collection of kernels is a number with a bit for each kernel: a plan has few kernels, and
    operations share few distinct collections of them.
    """

    def __init__(self) -> None:
        self._kernels: dict[ResultKey, int] = {}
        """The kernels of an operation and of all below it."""
        self._bits: dict[tuple[str, int], tuple[int, KernelVersion]] = {}
        """The bit of a kernel and the identity of its version, which the version keeps."""
        self._names: list[str] = []
        """Kernels with their versions as one text, in the order of their bits."""
        self._sorted: dict[int, tuple[str, ...]] = {}

    def below(self, key: ResultKey, nodes: Mapping[ResultKey, KeyNode]) -> tuple[str, ...]:
        """Return the kernels of all operations that an operation needs, by `KernelVersion.of`."""
        known = self._kernels
        if key not in known:
            self._visit(key, nodes)
        kernels = 0
        for argument in nodes[key].arguments:
            kernels |= known[argument]
        found = self._sorted.get(kernels)
        if found is None:
            names = [name for bit, name in enumerate(self._names) if kernels >> bit & 1]
            found = self._sorted[kernels] = tuple(sorted(set(names)))
        return found

    def _visit(self, key: ResultKey, nodes: Mapping[ResultKey, KeyNode]) -> None:
        known = self._kernels
        stack = [key]
        while stack:
            last = stack[-1]
            node = nodes[last]
            if isinstance(node, KeyConstant):
                known[last] = 0
                stack.pop()
                continue
            kernels = self._bit(node)
            for argument in node.arguments:
                below = known.get(argument)
                if below is None:
                    stack.append(argument)
                else:
                    kernels |= below
            if stack[-1] == last:
                stack.pop()
                known[last] = kernels

    def _bit(self, node: KeyOperation) -> int:
        place = (node.kernel, id(node.version))
        found = self._bits.get(place)
        if found is None:
            found = self._bits[place] = (1 << len(self._names), node.version)
            self._names.append(node.version.of(node.kernel))
        return found[0]
