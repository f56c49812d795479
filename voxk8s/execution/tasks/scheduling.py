"""Scheduling policies: which operations share a task, and in what order tasks run.

A policy is found by name; packages register theirs by an entry point. It affects speed only: every
operation is computed once and after its arguments, or the policy is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias, runtime_checkable

from voxk8s.constants import ENTRY_POINT_SCHEDULING
from voxk8s.errors import InvalidUsage
from voxk8s.execution.plugins import load_plugin
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits, fuse
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey, topological_order

_BUILT_IN: Final = {"default": "voxk8s.execution.tasks.scheduling:DefaultPolicy"}


Ranks: TypeAlias = Mapping[TaskKey, float]
"""Of the tasks that can run, the one with the smallest rank runs first.

Tasks without a rank come after all others, in topological order. Those of a later call run before
what is left of earlier ones.
"""
NO_RANKS: Final[Ranks] = MappingProxyType({})
"""Topological order."""


@runtime_checkable
class SchedulingPolicy(Protocol):
    """Decides how operations become tasks. Pure; called in the driver's process."""

    def fuse(
        self,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        traits: OperationTraits,
    ) -> list[FusionGroup]:
        """Return a partition of `order` into groups, in topological order.

        `order` are the operations to compute, in topological order; each is a member of exactly one
        group. Results that other groups use, and all `traits.targets`, are exported. Results in
        `known` are read from the store: by a group that has them in its `fetches`, or by a group
        without members that exports them.
        """

    def schedule(
        self, needs: Mapping[TaskKey, Collection[TaskKey]], targets: Sequence[TaskKey]
    ) -> Ranks:
        """Return the order of tasks.

        `needs` are the tasks in topological order, each with those that it depends on, of which
        earlier calls may have scheduled some. The run waits for `targets`.
        """


class DefaultPolicy:
    """Fuses cheap operations, and runs branch after branch."""

    def fuse(
        self,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        traits: OperationTraits,
    ) -> list[FusionGroup]:
        """Return the groups of `voxk8s.execution.tasks.fusion.fuse`."""
        return fuse(order, arguments, known, traits)

    def schedule(
        self, needs: Mapping[TaskKey, Collection[TaskKey]], targets: Sequence[TaskKey]
    ) -> Ranks:
        """Return the depth-first order of `depth_first_order`."""
        return {key: rank for rank, key in enumerate(depth_first_order(needs, targets))}


def depth_first_order(
    needs: Mapping[TaskKey, Collection[TaskKey]], targets: Iterable[TaskKey]
) -> list[TaskKey]:
    """Return tasks in depth-first order, those that share a source one after the other.

    The branches of a parameter sweep run one after the other, each with the values that only it
    needs. Dask's own order starts all branches before it ends the first one, and holds at least one
    value of each. A source is a task without needs, such as an image; of several that a target
    needs, the one that the fewest tasks use decides.
    """
    uses = Counter(need for below in needs.values() for need in below)
    sources: dict[TaskKey, TaskKey] = {}
    for key, below in needs.items():
        candidates = [sources[need] for need in below if need in sources]
        sources[key] = min(candidates, key=uses.__getitem__) if candidates else key
    branches: dict[TaskKey, list[TaskKey]] = {}
    for target in targets:
        branches.setdefault(sources[target], []).append(target)
    return topological_order(needs, chain.from_iterable(branches.values()))


def find_policy(name: str) -> SchedulingPolicy:
    """Create the scheduling policy of this name: a built-in one, or that of an entry point."""
    create = load_plugin("scheduling policy", name, _BUILT_IN, ENTRY_POINT_SCHEDULING)
    policy: SchedulingPolicy = create()
    return policy


def check_groups(
    groups: Sequence[FusionGroup],
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
    targets: Collection[ResultKey],
) -> None:
    """Raise InvalidUsage unless each operation is in one group and computed before it is used."""
    wanted = set(order)
    exported: set[ResultKey] = set()
    done: set[ResultKey] = set()
    for group in groups:
        inside = set(group.fetches)
        for key in group.members:
            for argument in arguments[key]:
                available = argument in inside or argument in exported
                if not available and (argument in wanted or argument in known):
                    raise _invalid(f"{argument} is used by {key} before it is computed")
            if key in done:
                raise _invalid(f"{key} is a member of two groups")
            inside.add(key)
            done.add(key)
        exported.update(group.exports)
    for key in order:
        if key not in done:
            raise _invalid(f"{key} is not in any group")
        if key in targets and key not in exported:
            raise _invalid(f"{key} is a target and not exported")


def _invalid(reason: str) -> InvalidUsage:
    return InvalidUsage(f"the scheduling policy returned invalid groups: {reason}")
