"""The work of one task as plain data: steps over numbered slots, made from groups of operations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, NewType

from voxk8s.execution.tasks.fusion import Group
from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, Pin, ResultKey, Role, Scalar

TaskKey = NewType("TaskKey", str)
"""Name of a task on Dask: the result key of its only export, or a hash of all of them."""


class Action(StrEnum):
    """How a step gets its value."""

    COMPUTE = "compute"
    LOAD = "load"
    LISTING = "listing"
    SAVE = "save"
    FETCH = "fetch"
    """Read from the store."""


class Step(NamedTuple):
    """One operation; `arguments` are numbers of slots: constants, then externals, then steps.

    `keep` says that its result must be stored, `goal` that the driver is to be told of it in full,
    `cheap` that nobody looks whether another run has computed it meanwhile.
    """

    key: str
    action: str
    kernel: str
    version: int
    arguments: tuple[int, ...]
    argument_keys: tuple[ResultKey, ...]
    keep: bool
    goal: bool
    cheap: bool
    pin: Pin | None
    suffix: str | None


@dataclass(frozen=True, slots=True)
class External:
    """A value that another task computes: one of its exports."""

    task: TaskKey
    key: ResultKey
    alone: bool
    """The task has no other export: its value is the value, not a mapping by key."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One task: what it needs from others, its steps, and which of them leave it."""

    key: TaskKey
    constants: tuple[Scalar, ...]
    externals: tuple[External, ...]
    steps: tuple[Step, ...]
    exports: tuple[int, ...]
    """Slots whose values leave the task."""

    @property
    def dependencies(self) -> tuple[TaskKey, ...]:
        """Tasks whose values this one needs, each once, in the order of their first use."""
        return tuple(dict.fromkeys(external.task for external in self.externals))

    def __dask_tokenize__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Demand:
    """What is wanted of the operations: which are goals and which are stored in any case."""

    goals: Collection[ResultKey]
    keep: Collection[ResultKey]
    cheap: Collection[ResultKey]
    salt: str = ""
    """Makes the tasks those of one run only."""


def task_key(exports: Iterable[ResultKey], salt: str = "") -> TaskKey:
    """Name the task that gives these results; a `salt` keeps other runs from sharing it."""
    keys = tuple(exports)
    name = keys[0] if len(keys) == 1 else "pack-" + sha256("".join(keys).encode()).hexdigest()
    return TaskKey(f"{name}-{salt}" if salt else name)


def build(
    groups: Iterable[Group], nodes: Mapping[ResultKey, KeyNode], demand: Demand
) -> dict[TaskKey, Unit]:
    """Make the units of groups that are in topological order."""
    homes: dict[ResultKey, External] = {}
    units: dict[TaskKey, Unit] = {}
    for group in groups:
        unit = _unit(group, nodes, demand, homes)
        units[unit.key] = unit
        alone = len(group.exports) == 1
        for export in group.exports:
            homes[export] = External(unit.key, export, alone)
    return units


def _unit(
    group: Group,
    nodes: Mapping[ResultKey, KeyNode],
    demand: Demand,
    homes: Mapping[ResultKey, External],
) -> Unit:
    inside = {*group.fetches, *group.members}
    constants: dict[ResultKey, Scalar] = {}
    externals: dict[ResultKey, External] = {}
    for member in group.members:
        for argument in _operation(nodes, member).arguments:
            node = nodes[argument]
            if isinstance(node, KeyConstant):
                constants[argument] = node.value
            elif argument not in inside:
                externals[argument] = homes[argument]
    numbers = {key: number for number, key in enumerate((*constants, *externals))}
    steps: list[Step] = []
    for key in (*group.fetches, *group.members):
        numbers[key] = len(constants) + len(externals) + len(steps)
        steps.append(
            _fetch(key) if key in group.fetches else _step(_operation(nodes, key), numbers, demand)
        )
    return Unit(
        task_key(group.exports, demand.salt),
        tuple(constants.values()),
        tuple(externals.values()),
        tuple(steps),
        tuple(numbers[key] for key in group.exports),
    )


def _operation(nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> KeyOperation:
    node = nodes[key]
    if not isinstance(node, KeyOperation):
        raise TypeError(f"{key} is a constant: it is never computed")
    return node


def _fetch(key: ResultKey) -> Step:
    return Step(key, Action.FETCH, "", 0, (), (), False, False, True, None, None)


def _step(node: KeyOperation, numbers: Mapping[ResultKey, int], demand: Demand) -> Step:
    match node.role:
        case Role.LOAD:
            action = Action.LOAD
        case Role.LISTING:
            action = Action.LISTING
        case Role.SAVE:
            action = Action.SAVE
        case _:
            action = Action.COMPUTE
    # The content of an input is its pin: where it lies is no argument of the kernel.
    pinned = action in (Action.LOAD, Action.LISTING)
    return Step(
        node.key,
        action,
        node.kernel,
        node.version,
        () if pinned else tuple(numbers[argument] for argument in node.arguments),
        node.arguments,
        node.key in demand.keep,
        node.key in demand.goals,
        node.key in demand.cheap,
        node.pin,
        node.suffix,
    )
