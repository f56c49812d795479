"""The expected costs of operations: recorded ones, else those that kernels give as hints. Pure.

The size of an operation is the number of voxels of its largest image. It follows from the inputs: a
file's size is known before it is read, and the store remembers how many voxels files of that size
had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from voxk8s.kernels import KernelRegistry
from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, Pin, ResultKey, Role
from voxk8s.storage.kernel_costs import KernelCosts, size_class

PLAIN_RESULTS: Final = frozenset({"number", "bool", "string", "mapping"})
"""Types of values that are small whatever they were computed from."""
_COMPRESSED: Final = (".gz", ".png", ".jpg", ".jpeg", ".zip", ".bz2", ".zst")
_MIN_COMPRESSED_VOXELS: Final = 2**20
"""A mask of millions of voxels may be compressed to a few kilobytes."""


class CostGroup(NamedTuple):
    """Operations that are expected to take the same time: of one kernel and one class of size."""

    kernel: str
    size: int


class CostModel:
    """Expected seconds and sizes of the operations of one run; remembers what it has estimated."""

    def __init__(self, kernels: KernelRegistry, costs: KernelCosts | None = None) -> None:
        self._kernels = kernels
        self._costs = costs or KernelCosts()
        self._voxels: dict[ResultKey, int] = {}
        self._groups: dict[ResultKey, CostGroup] = {}
        self._known: dict[tuple[str, int], CostGroup] = {}
        self._seconds: dict[CostGroup, float | None] = {}
        self._plain: dict[str, bool] = {}

    def use(self, costs: KernelCosts) -> None:
        """Estimate by these recorded costs from now on."""
        self._costs = costs
        self._groups.clear()
        self._known.clear()
        self._seconds.clear()
        self._voxels.clear()

    def measured(self, key: ResultKey, voxels: int) -> None:
        """Record the size of an input that has been read."""
        self._voxels[key] = voxels

    def voxels(self, nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> int:
        """Return the voxels of the largest image in a value; 0 for plain values."""
        found = self._voxels
        if key in found:
            return found[key]
        stack = [key]
        while stack:
            node = nodes[stack[-1]]
            missing = [each for each in node.arguments if each not in found]
            if missing and isinstance(node, KeyOperation) and node.role is not Role.LOAD:
                stack += missing
            else:
                found[stack.pop()] = self._own_voxels(node)
        return found[key]

    def _own_voxels(self, node: KeyNode) -> int:
        """Return the voxels of a value whose arguments are known."""
        if isinstance(node, KeyConstant) or node.role is Role.LISTING:
            return 0
        if node.pin is not None:
            recorded = self._costs.find(node.kernel, node.pin.size)
            if recorded is not None and recorded.voxels > 0:
                return int(recorded.voxels)
            return _file_voxels(node.pin)
        if self._is_plain(node.kernel):
            return 0
        return max([self._voxels[argument] for argument in node.arguments], default=0)

    def _is_plain(self, kernel: str) -> bool:
        plain = self._plain.get(kernel)
        if plain is None:
            signature = self._kernels.find(kernel)
            plain = signature is not None and signature.result in PLAIN_RESULTS
            self._plain[kernel] = plain
        return plain

    def size(self, nodes: Mapping[ResultKey, KeyNode], node: KeyOperation) -> int:
        """Return what the costs of an operation depend on: voxels, or the bytes of an input."""
        if node.pin is not None:
            return node.pin.size
        found, most = self._voxels, 0
        for argument in node.arguments:
            voxels = found.get(argument)
            if voxels is None:
                voxels = self.voxels(nodes, argument)
            if voxels > most:
                most = voxels
        return most

    def group(self, nodes: Mapping[ResultKey, KeyNode], node: KeyOperation) -> CostGroup:
        """Return the group of an operation."""
        group = self._groups.get(node.key)
        if group is None:
            size = self.size(nodes, node)
            if node.pin is None and node.role is not Role.LISTING:
                # What is made of its value asks for this next.
                self._voxels.setdefault(node.key, 0 if self._is_plain(node.kernel) else size)
            place = (node.kernel, size_class(size))
            group = self._known.get(place)
            if group is None:
                group = self._known[place] = CostGroup(*place)
                voxels = size if node.pin is None else self.voxels(nodes, node.key)
                self._seconds[group] = self._estimate(node.kernel, size, voxels)
            self._groups[node.key] = group
        return group

    def seconds(self, nodes: Mapping[ResultKey, KeyNode], node: KeyOperation) -> float | None:
        """Return the expected seconds of an operation; None if nothing is known."""
        return self._seconds[self.group(nodes, node)]

    def group_seconds(self, group: CostGroup) -> float | None:
        """Return the expected seconds of an operation of a group."""
        if group not in self._seconds:
            largest = 2**group.size - 1
            self._seconds[group] = self._estimate(group.kernel, largest, largest)
        return self._seconds[group]

    def _estimate(self, kernel: str, size: int, voxels: int) -> float | None:
        """Return the mean of recorded calls; a few calls count together with the hint."""
        signature = self._kernels.find(kernel)
        hint = None if signature is None else self._kernels.spec(kernel).cost
        hinted = None if hint is None else hint.estimate(voxels)
        recorded = self._costs.find(kernel, size)
        if recorded is None or recorded.calls <= 0:
            return hinted
        if hinted is None:
            return recorded.seconds
        share = recorded.calls / (recorded.calls + 1)
        return hinted + (recorded.seconds - hinted) * share


def _file_voxels(pin: Pin) -> int:
    """Return an estimate of the voxels in a file that was never read."""
    voxels = pin.size // 2
    is_compressed = pin.url.lower().endswith(_COMPRESSED)
    return max(voxels, _MIN_COMPRESSED_VOXELS) if is_compressed else voxels
