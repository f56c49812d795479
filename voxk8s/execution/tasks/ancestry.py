"""The kernels whose results an operation depends on, for the provenance of its record.

Most intermediate results have no records, so what depends on a kernel cannot be found by following
the arguments of records alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from voxk8s.plan import KeyConstant, KeyNode, ResultKey
from voxk8s.plan.kernel_version import KernelVersion


class Ancestry:
    """The kernels below the operations of one plan; each operation is visited once.

    Operations share few distinct collections of kernels, which are kept once.
    """

    def __init__(self) -> None:
        self._kernels: dict[ResultKey, tuple[str, ...]] = {}
        """Kernels of an operation and of all below it, sorted."""
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def below(self, key: ResultKey, nodes: Mapping[ResultKey, KeyNode]) -> tuple[str, ...]:
        """Return the kernels of all operations that an operation needs, by `KernelVersion.of`."""
        found = self._kernels
        arguments = nodes[key].arguments
        stack = [argument for argument in arguments if argument not in found]
        while stack:
            last = stack[-1]
            node = nodes[last]
            missing = [argument for argument in node.arguments if argument not in found]
            if missing:
                stack += missing
                continue
            stack.pop()
            if last not in found:
                own = () if isinstance(node, KeyConstant) else (_name(node.kernel, node.version),)
                found[last] = self._union(own, node.arguments)
        return self._union((), arguments)

    def _union(self, own: tuple[str, ...], arguments: tuple[ResultKey, ...]) -> tuple[str, ...]:
        kernels = {*own}
        for part in {id(each): each for each in map(self._kernels.__getitem__, arguments)}.values():
            kernels.update(part)
        names = tuple(sorted(kernels))
        return self._known.setdefault(names, names)


@cache
def _name(kernel: str, version: KernelVersion) -> str:
    return version.of(kernel)
