"""Planning: which operations the targets need, and the tasks that compute them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.scheduling import DefaultPolicy, SchedulingPolicy, check_groups
from voxk8s.execution.tasks.task import TaskOptions
from voxk8s.kernels import registry
from voxk8s.plan import KeyConstant, KeyGraph, KeyOperation, ResultKey, Role, reachable

_SMALL_RESULTS: Final = frozenset({"number", "bool", "string"})
_IMAGES: Final = frozenset({"image", "mask"})
_DEFAULT: Final = DefaultPolicy()


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
) -> tuple[list[FusionGroup], TaskOptions]:
    """Return the groups of operations that `targets` need, and the options of their tasks.

    `compute` is in topological order; operations that no target needs are left out, and so are
    those in `provided`, whose values other tasks have, and those in `failed`. Results in `held` are
    exported where they are computed, those in `replaces` are stored in any case. Raises
    InvalidUsage for a policy whose groups are not valid.
    """
    needs = {key: graph.nodes[key].arguments for key in compute if key not in provided}
    wanted = reachable(needs, targets)
    order = [key for key in needs if key in wanted and key not in failed]
    cheap, small = _traits(graph, order)
    goals = frozenset(targets)
    exports = goals.union(key for key in order if key in held) if held else goals
    read = [key for key in known if key not in provided] if provided else known
    groups = policy.fuse(order, needs, read, OperationTraits(cheap, small, exports))
    if type(policy).fuse is not DefaultPolicy.fuse:
        check_groups(groups, order, needs, read, exports)
    must_store = goals | _saved_images(graph, goals) | frozenset(replaces)
    return groups, TaskOptions(goals=goals, must_store=must_store, cheap=cheap)


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


def _traits(graph: KeyGraph, order: Sequence[ResultKey]) -> tuple[set[ResultKey], set[ResultKey]]:
    """Return the operations that are cheap, and those of them whose values are small and plain.

    The value of a kernel of any type (`addition`) is small when all its arguments are.
    """
    index = registry()
    cheap: set[ResultKey] = set()
    small: set[ResultKey] = set()
    for key in order:
        node = graph.nodes[key]
        if not isinstance(node, KeyOperation) or node.role is not Role.COMPUTE:
            continue
        signature = index.find(node.kernel)
        if signature is None or not signature.cheap:
            continue
        cheap.add(key)
        if signature.result in _SMALL_RESULTS or (
            signature.result == "any"
            and all(
                argument in small or isinstance(graph.nodes[argument], KeyConstant)
                for argument in node.arguments
            )
        ):
            small.add(key)
    return cheap, small
