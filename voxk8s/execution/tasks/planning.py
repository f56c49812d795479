"""Planning: which operations the targets need, and the tasks that compute them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from voxk8s.costs.cost_model import CostModel
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.scheduling import DefaultPolicy, SchedulingPolicy, check_groups
from voxk8s.execution.tasks.task import TaskOptions
from voxk8s.execution.tasks.traits import operation_traits
from voxk8s.kernels import registry
from voxk8s.plan import KeyGraph, KeyOperation, ResultKey, Role, reachable

LONG_SECONDS: Final = 0.05
"""Steps that are expected to take at least this long know it."""
_IMAGES: Final = frozenset({"image", "mask"})
_DEFAULT: Final = DefaultPolicy()
NO_CODES: Final[Mapping[str, Collection[str]]] = MappingProxyType({})


def plan_groups(
    graph: KeyGraph,
    compute: Sequence[ResultKey],
    known: Collection[ResultKey],
    targets: Collection[ResultKey],
    *,
    held: Collection[ResultKey] = (),
    provided: Collection[ResultKey] = (),
    failed: Collection[ResultKey] = (),
    policy: SchedulingPolicy = _DEFAULT,
    replaces: Collection[ResultKey] = (),
    model: CostModel | None = None,
    parallelism: int = 0,
    codes: Mapping[str, Collection[str]] = NO_CODES,
) -> tuple[list[FusionGroup], TaskOptions]:
    """Return the groups of operations that `targets` need, and the options of their tasks.

    `compute` is in topological order; operations that no target needs are left out, and so are
    those in `provided`, whose values other tasks have, and those in `failed`. Results in `held` are
    exported where they are computed, those in `replaces` are stored in any case. `model` gives the
    expected costs, by default those that kernels give; `parallelism` is that of `OperationTraits`,
    `codes` are those of `TaskOptions`.
    Raises InvalidUsage for a policy whose groups are not valid.
    """
    needs = {key: graph.nodes[key].arguments for key in compute if key not in provided}
    wanted = reachable(needs, targets)
    order = [key for key in needs if key in wanted and key not in failed]
    goals = frozenset(targets)
    exports = goals.union(key for key in order if key in held) if held else goals
    read = [key for key in known if key not in provided] if provided else known
    index = registry()
    model = model or CostModel(index)
    traits = operation_traits(graph.nodes, order, read, exports, model, index, parallelism)
    groups = policy.fuse(order, needs, read, traits)
    if type(policy).fuse is not DefaultPolicy.fuse:
        check_groups(groups, order, needs, read, exports)
    must_store = goals | _saved_images(graph, goals) | frozenset(replaces)
    long = {key: cost for key, cost in traits.seconds.items() if cost >= LONG_SECONDS}
    return groups, TaskOptions(goals, must_store, traits.cheap, long, traits.resources, codes)


def _saved_images(graph: KeyGraph, goals: Collection[ResultKey]) -> set[ResultKey]:
    """Return the images that `save` goals encode: other plans use the image, not its file."""
    index = registry()
    found: set[ResultKey] = set()
    for goal in goals:
        save = graph.nodes[goal]
        if not isinstance(save, KeyOperation) or save.role is not Role.SAVE:
            continue
        for argument in save.arguments:
            node = graph.nodes[argument]
            if isinstance(node, KeyOperation) and node.role is Role.COMPUTE:
                signature = index.find(node.kernel)
                if signature is not None and signature.result in _IMAGES:
                    found.add(argument)
    return found
