"""From what is to be computed to tasks: asks what is cheap, has it fused, builds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from voxk8s.execution.tasks.fusion import OperationTraits
from voxk8s.execution.tasks.scheduling import DefaultPolicy, SchedulingPolicy, check_groups
from voxk8s.execution.tasks.task import TaskKey, TaskOptions, TaskSpec, build_tasks, task_key
from voxk8s.kernels import registry
from voxk8s.plan import KeyConstant, KeyGraph, KeyOperation, ResultKey, Role, Signature, reachable

_SMALL_RESULTS = frozenset({"number", "bool", "string"})
_DEFAULT = DefaultPolicy()
_IMAGES = frozenset({"image", "mask"})


def plan_tasks(
    graph: KeyGraph,
    compute: Sequence[ResultKey],
    known: Collection[ResultKey],
    targets: Sequence[ResultKey],
    failed: Collection[ResultKey] = (),
    salt: str = "",
    policy: SchedulingPolicy = _DEFAULT,
) -> tuple[dict[TaskKey, TaskSpec], dict[TaskKey, tuple[ResultKey, ...]]]:
    """Make the tasks that `targets` need, and say which tasks give which targets.

    `compute` is in topological order; operations that targets do not need, or that need a failed
    one, are left out. Raises InvalidUsage for a policy that would not do all of it.
    """
    needs = {key: graph.nodes[key].arguments for key in compute}
    wanted = reachable(needs, targets)
    order = [key for key in compute if key in wanted and key not in failed]
    cheap, small = _traits(graph, order)
    goals = frozenset(targets)
    groups = policy.fuse(order, needs, known, OperationTraits(cheap, small, goals))
    if type(policy).fuse is not DefaultPolicy.fuse:
        check_groups(groups, order, needs, known, goals)
    demand = TaskOptions(
        goals=goals, must_store=goals | _saved(graph, goals), cheap=cheap, salt=salt
    )
    tasks = build_tasks(groups, graph.nodes, demand)
    watched: dict[TaskKey, tuple[ResultKey, ...]] = {}
    for group in groups:
        here = tuple(key for key in group.exports if key in goals)
        if here:
            watched[task_key(group.exports, salt)] = here
    return tasks, watched


def _saved(graph: KeyGraph, goals: Collection[ResultKey]) -> set[ResultKey]:
    """Find the images that goals save: what others go on from is the image, not the file of it."""
    signature = _signatures()
    found: set[ResultKey] = set()
    for goal in goals:
        save = graph.nodes[goal]
        if not isinstance(save, KeyOperation) or save.role is not Role.SAVE:
            continue
        for argument in save.arguments:
            node = graph.nodes[argument]
            if isinstance(node, KeyOperation) and node.role is Role.COMPUTE:
                known = signature(node.kernel)
                if known is not None and known.result in _IMAGES:
                    found.add(argument)
    return found


def _traits(graph: KeyGraph, order: Sequence[ResultKey]) -> tuple[set[ResultKey], set[ResultKey]]:
    """Find the operations that are cheap, and those whose values are plain and small.

    A kernel that takes anything (`addition`) gives a small value when all its arguments are small.
    """
    signature = _signatures()
    cheap: set[ResultKey] = set()
    small: set[ResultKey] = set()
    for key in order:
        node = graph.nodes[key]
        if not isinstance(node, KeyOperation) or node.role is not Role.COMPUTE:
            continue
        found = signature(node.kernel)
        if found is None or not found.cheap:
            continue
        cheap.add(key)
        if found.result in _SMALL_RESULTS or (
            found.result == "any"
            and all(
                argument in small or isinstance(graph.nodes[argument], KeyConstant)
                for argument in node.arguments
            )
        ):
            small.add(key)
    return cheap, small


def cheapness() -> Callable[[str], bool]:
    """Give a function that says of a kernel, by its qualified name, whether it is cheap."""
    signature = _signatures()

    def is_cheap(kernel: str) -> bool:
        found = signature(kernel)
        return found is not None and found.cheap

    return is_cheap


def _signatures() -> Callable[[str], Signature | None]:
    index = registry()
    found: dict[str, Signature | None] = {}

    def signature(kernel: str) -> Signature | None:
        if kernel not in found:
            found[kernel] = index.find(kernel, ())
        return found[kernel]

    return signature
