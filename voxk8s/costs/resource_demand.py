"""What operations need of workers beside a thread, such as GPUs, as far as a plan tells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from voxk8s.kernels import KernelRegistry
from voxk8s.kernels.worker_resources import Resources
from voxk8s.plan import KeyGraph, KeyOperation, OperationId, ResultKey, WorkPlan, reachable
from voxk8s.plan.model import Closure, Node, Operation

MANY: Final = 1_000_000
"""Operations of a loop whose number of items is not known."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many operations need a resource, or several, and the kernel of one of them."""

    resources: Resources
    operations: int
    kernel: str


def resource_demands(
    plan: WorkPlan,
    graph: KeyGraph | None,
    compute: Sequence[ResultKey],
    kernels: KernelRegistry,
) -> tuple[Demand, ...]:
    """Return what the operations that are left need, of those that need anything.

    These are the ones in `compute`, and those of the plan that have no key in `graph` yet, loops
    that are not expanded included. Without a graph none of the plan has a key.
    """
    found: dict[Resources, Demand] = {}
    for kernel, count in (
        *_keyed(graph, compute),
        *_without_key(plan, graph, kernels),
    ):
        resources = kernels.resources(kernel)
        if resources:
            before = found[resources].operations if resources in found else 0
            found[resources] = Demand(resources, min(MANY, before + count), kernel)
    return tuple(found.values())


def _keyed(graph: KeyGraph | None, compute: Iterable[ResultKey]) -> Iterator[tuple[str, int]]:
    if graph is None:
        return
    for key in compute:
        node = graph.nodes[key]
        if isinstance(node, KeyOperation):
            yield node.kernel, 1


def _without_key(
    plan: WorkPlan, graph: KeyGraph | None, kernels: KernelRegistry
) -> Iterator[tuple[str, int]]:
    """Yield the kernels of operations without a key, and how many there are."""
    if graph is not None and not graph.keyless:
        return
    dependencies = {name: _dependencies(node) for name, node in plan.nodes.items()}
    for name in reachable(dependencies, [goal.id for goal in plan.goals]):
        node = plan.nodes[name]
        if isinstance(node, Closure):
            for operator in _operators_in(node):
                yield _qualified(operator, plan, kernels), MANY
        elif isinstance(node, Operation) and (graph is None or graph.key_of(name) is None):
            yield _qualified(node.operator, plan, kernels), 1


def _qualified(operator: str, plan: WorkPlan, kernels: KernelRegistry) -> str:
    signature = kernels.find(operator, plan.imports)
    return operator if signature is None else signature.qualified


def _operators_in(closure: Closure) -> Iterator[str]:
    open_closures = [closure]
    while open_closures:
        for node in open_closures.pop().nodes.values():
            if isinstance(node, Closure):
                open_closures.append(node)
            elif isinstance(node, Operation):
                yield node.operator


def _dependencies(node: Node) -> tuple[OperationId, ...]:
    arguments = getattr(node, "arguments", ())
    captures = getattr(node, "captures", {})
    return (*arguments, *captures.values())
