"""The traits of operations on which fusion depends: cheap, small, expected seconds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from voxk8s.costs.cost_model import PLAIN_RESULTS, CostModel
from voxk8s.execution.tasks.fusion import OperationTraits
from voxk8s.kernels import KernelRegistry
from voxk8s.kernels.worker_resources import Resources
from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, ResultKey, Role

_FOLLOWING: Final = frozenset({"any", "sequence"})
"""Types of values that are as small as the arguments that they are made from."""
_COMPUTED: Final = (Role.COMPUTE, Role.GEOMETRY)


def operation_traits(
    nodes: Mapping[ResultKey, KeyNode],
    order: Sequence[ResultKey],
    known: Collection[ResultKey],
    targets: Collection[ResultKey],
    model: CostModel,
    kernels: KernelRegistry,
    parallelism: int,
) -> OperationTraits:
    """Return the traits of the operations in `order`, and which of these and of `known` are small.

    Inputs and files have no expected seconds: each has a task of its own. So has each operation
    that needs resources of a worker: others, beside cheap ones, must not take them up.
    """
    kinds: dict[str, tuple[bool, str, Resources]] = {}
    cheap: set[ResultKey] = set()
    small: set[ResultKey] = set()
    seconds: dict[ResultKey, float] = {}
    resources: dict[ResultKey, Resources] = {}
    for key in (*known, *order):
        node = nodes[key]
        if not isinstance(node, KeyOperation) or node.role not in _COMPUTED:
            continue
        kind = kinds.get(node.kernel)
        if kind is None:
            signature = kernels.find(node.kernel)
            cheap_kind, result = (
                (False, "") if signature is None else (signature.cheap, signature.result)
            )
            kind = (cheap_kind, result, kernels.resources(node.kernel))
            kinds[node.kernel] = kind
        is_cheap, result, needed = kind
        if result in PLAIN_RESULTS or (
            is_cheap
            and result in _FOLLOWING
            and all(
                argument in small or isinstance(nodes[argument], KeyConstant)
                for argument in node.arguments
            )
        ):
            small.add(key)
        if needed:
            resources[key] = needed
            continue
        if is_cheap:
            cheap.add(key)
        cost = model.seconds(nodes, node)
        if cost is not None:
            seconds[key] = cost
    return OperationTraits(cheap, small, targets, seconds, parallelism, resources)
