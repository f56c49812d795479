"""Fusion: which operations share a task. Pure.

A group has one *root*; the values of its other members are used inside of the group only. So the
value of the group is the value of its root, no way leads out of a group and back into it, and a
value is freed after its last use as if each operation had a task of its own. An operation that
several groups use has a group of its own. Where a layer of a plan is wide, small groups that do not
need each other are packed into one task as well.

Groups grow from the sources towards the goals (the tree of post-dominators is cut as in Kundu and
Misra, "A linear tree partitioning algorithm", 1977), until they reach a number of seconds that
keeps all threads busy.

Rejected: growing from the goals. The last task of a parameter sweep would take in some branches,
and hold their arguments until all other branches have ended.
Rejected: fusing operations that take longer than a task may. It saves about a millisecond per
operation, and two plans that share such an operation could not share its task any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from voxk8s.execution.tasks.fusion_graph import FusionGraph
from voxk8s.execution.tasks.packing import pack
from voxk8s.execution.tasks.partition import find_roots
from voxk8s.kernels.worker_resources import Resources
from voxk8s.plan import ResultKey
from voxk8s.plan.gc_pause import without_gc

GROUP_SECONDS: Final = 0.15
"""The longest that a task of several operations is expected to take."""
MIN_GROUP_SECONDS: Final = 0.025
"""Tasks are not made shorter than this to have more of them, since each costs about 1 ms."""
TASKS_PER_THREAD: Final = 4
"""Fusion leaves at least so many tasks for each thread, where the plan has them."""
MIN_PARALLELISM: Final = 8
"""Threads that are expected at least; a cluster may grow during the run."""
FETCHES_INSIDE: Final = 4
"""Most known results that a task reads from the store itself, one after the other."""
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class OperationTraits:
    """The properties of operations on which fusion depends.

    `cheap` operations cost less than a task whatever their arguments, `small` ones return small
    plain values, `targets` are delivered one by one (goals and the sequences of loops). `seconds`
    are the expected costs; an operation that is neither cheap nor listed may take for ever.
    `parallelism` is the number of threads, 0 if it is not known. `resources` are those that
    operations need of a worker; these are not listed as cheap, nor in `seconds`.
    """

    cheap: Collection[ResultKey]
    small: Collection[ResultKey]
    targets: Collection[ResultKey]
    seconds: Mapping[ResultKey, float] = field(default_factory=dict)
    parallelism: int = 0
    resources: Mapping[ResultKey, Resources] = field(default_factory=dict)


@dataclass(slots=True)
class FusionGroup:
    """The operations of one task.

    `members` are in topological order, `exports` are the results that the task returns, `fetches`
    the known results that it reads from the store. `seconds` is the expected cost of the members,
    as far as it is known.
    """

    members: list[ResultKey]
    exports: list[ResultKey]
    fetches: list[ResultKey] = field(default_factory=list)
    seconds: float = field(default=0.0, compare=False)


@without_gc()
def fuse(
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
    traits: OperationTraits,
) -> list[FusionGroup]:
    """Return a partition of `order` into groups, in topological order.

    `order` are the operations to compute, in topological order. `known` are results that the store
    holds: a result that only one group uses is read in that group, others are read once, each in a
    group without members. The time is linear in the number of operations and arguments.
    """
    if not order:
        return []
    graph = FusionGraph.create(
        order, arguments, known, traits.cheap, traits.small, traits.targets, traits.seconds
    )
    threads = max(traits.parallelism, MIN_PARALLELISM)
    share = graph.total_seconds / (TASKS_PER_THREAD * threads)
    # The longest chain of tasks must not become the longest part of the run by fusion.
    bound = max(share, 1.1 * graph.critical_seconds(), 1.2 * MIN_GROUP_SECONDS)
    limit = min(GROUP_SECONDS, max(MIN_GROUP_SECONDS, share))
    for _ in range(_TRIES):
        groups = pack(graph, find_roots(graph, limit), limit)
        if graph.critical_seconds(groups) <= bound:
            break
        limit /= 4
    made = [
        FusionGroup(
            [order[number] for number in graph.depth_first(group)],
            [order[number] for number in group.exports],
            seconds=group.seconds,
        )
        for group in groups
    ]
    return _add_fetches(made, arguments, known)


def _add_fetches(
    groups: list[FusionGroup],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
) -> list[FusionGroup]:
    """Add the reads of known results: to the group that uses them, or as groups of their own."""
    if not known:
        return groups
    users: dict[ResultKey, list[FusionGroup]] = defaultdict(list)
    for group in groups:
        seen: set[ResultKey] = set()
        for key in group.members:
            for argument in arguments[key]:
                if argument in known and argument not in seen:
                    seen.add(argument)
                    users[argument].append(group)
    separate: list[FusionGroup] = []
    for key, using in users.items():
        if len(using) == 1 and len(using[0].fetches) < FETCHES_INSIDE:
            using[0].fetches.append(key)
        else:
            separate.append(FusionGroup([], [key], [key]))
    return separate + groups
