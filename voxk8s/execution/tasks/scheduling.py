"""Scheduling policies: which operations share a task, in what order tasks run, and where.

A policy is found by its name, like an executor: packages offer theirs by an entry point. It decides
about speed only. Whatever it says, every operation is done once and after its arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from voxk8s.constants import ENTRY_POINT_SCHEDULING
from voxk8s.errors import InvalidUsage
from voxk8s.execution.plugins import load_named
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits, fuse
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.plan import ResultKey

_BUILT_IN: Final = {"default": "voxk8s.execution.tasks.scheduling:DefaultPolicy"}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a task may run: workers by name or address, and resources that it takes, as in Dask.

    Nothing is anywhere. `elsewhere` makes the workers a wish instead of a condition.
    """

    workers: tuple[str, ...] = ()
    resources: Mapping[str, float] = field(default_factory=dict)
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """What an executor is told of tasks beside what they are; those not named are left to it.

    `ranks` has the first task as its smallest number; None for the executor's own order.
    """

    ranks: Mapping[TaskKey, int] | None = None
    placements: Mapping[TaskKey, Placement] = field(default_factory=dict)


DEFAULT_SCHEDULE: Final = Schedule()
"""All is left to the executor."""


@runtime_checkable
class SchedulingPolicy(Protocol):
    """Decides how operations become tasks. Pure; called in the process that drives a run."""

    def fuse(
        self,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        traits: OperationTraits,
    ) -> list[FusionGroup]:
        """Part `order` (topological, what is to be computed) into groups, in topological order.

        Every operation is a member of one group. What other groups use, and all of
        `traits.targets`, is exported. Results in `known` are read from the store: inside of the
        one group that names them in `fetches`, or by a group without members that exports them.
        """

    def schedule(self, tasks: Mapping[TaskKey, TaskSpec], targets: Collection[TaskKey]) -> Schedule:
        """Say in what order and where tasks are to run, of which `targets` are waited for."""


class DefaultPolicy:
    """Neighbourhoods of cheap operations share a task; order and place are the executor's."""

    def fuse(
        self,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        traits: OperationTraits,
    ) -> list[FusionGroup]:
        """Fuse as `voxk8s.execution.tasks.fusion` describes it."""
        return fuse(order, arguments, known, traits)

    def schedule(self, _: Mapping[TaskKey, TaskSpec], __: Collection[TaskKey]) -> Schedule:
        """Leave all to the executor."""
        return DEFAULT_SCHEDULE


def find_policy(name: str) -> SchedulingPolicy:
    """Make the scheduling policy of this name: ours, or one of an installed package."""
    make: Any = load_named("scheduling policy", name, _BUILT_IN, ENTRY_POINT_SCHEDULING)
    made: SchedulingPolicy = make()
    return made


def check_groups(
    groups: Sequence[FusionGroup],
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
    targets: Collection[ResultKey],
) -> None:
    """Raise InvalidUsage where groups of a policy leave something out or come too early."""
    wanted = set(order)
    exported: set[ResultKey] = set()
    done: set[ResultKey] = set()
    for group in groups:
        inside = set(group.fetches)
        for key in group.members:
            for argument in arguments[key]:
                there = argument in inside or argument in exported
                if not there and (argument in wanted or argument in known):
                    raise _broken(f"{argument} is used by {key} before it is there")
            if key in done:
                raise _broken(f"{key} is a member of two groups")
            inside.add(key)
            done.add(key)
        exported.update(group.exports)
    for key in order:
        if key not in done:
            raise _broken(f"{key} is in no group")
        if key in targets and key not in exported:
            raise _broken(f"{key} is a target and not exported")


def _broken(what: str) -> InvalidUsage:
    return InvalidUsage(f"the scheduling policy is wrong: {what}")
