"""The work of one task as plain data: steps over numbered slots, made from groups of operations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, NewType

from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, Pin, ResultKey, Role, Scalar

TaskKey = NewType("TaskKey", str)
"""Name of a task on Dask: the result key of its only export, or a hash of all of them."""


class StepKind(StrEnum):
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
    must_store: bool
    goal: bool
    cheap: bool
    pin: Pin | None
    suffix: str | None


@dataclass(frozen=True, slots=True)
class UpstreamRef:
    """A value that another task computes: one of its exports."""

    task: TaskKey
    key: ResultKey
    sole_export: bool
    """The task has no other export: its value is the value, not a mapping by key."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task: what it needs from others, its steps, and which of them leave it."""

    key: TaskKey
    constants: tuple[Scalar, ...]
    externals: tuple[UpstreamRef, ...]
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
class TaskOptions:
    """What is wanted of the operations: which are goals and which are stored in any case."""

    goals: Collection[ResultKey]
    must_store: Collection[ResultKey]
    cheap: Collection[ResultKey]
    salt: str = ""
    """Makes the tasks those of one run only."""


def task_key(exports: Iterable[ResultKey], salt: str = "") -> TaskKey:
    """Name the task that gives these results; a `salt` keeps other runs from sharing it."""
    keys = tuple(exports)
    name = keys[0] if len(keys) == 1 else "pack-" + sha256("".join(keys).encode()).hexdigest()
    return TaskKey(f"{name}-{salt}" if salt else name)


def build_tasks(
    groups: Iterable[FusionGroup], nodes: Mapping[ResultKey, KeyNode], demand: TaskOptions
) -> dict[TaskKey, TaskSpec]:
    """Make the tasks of groups that are in topological order."""
    homes: dict[ResultKey, UpstreamRef] = {}
    tasks: dict[TaskKey, TaskSpec] = {}
    for group in groups:
        task = _task(group, nodes, demand, homes)
        tasks[task.key] = task
        sole_export = len(group.exports) == 1
        for export in group.exports:
            homes[export] = UpstreamRef(task.key, export, sole_export)
    return tasks


def _task(
    group: FusionGroup,
    nodes: Mapping[ResultKey, KeyNode],
    demand: TaskOptions,
    homes: Mapping[ResultKey, UpstreamRef],
) -> TaskSpec:
    inside = {*group.fetches, *group.members}
    constants: dict[ResultKey, Scalar] = {}
    externals: dict[ResultKey, UpstreamRef] = {}
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
    return TaskSpec(
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
    return Step(key, StepKind.FETCH, "", 0, (), (), False, False, True, None, None)


def _step(node: KeyOperation, numbers: Mapping[ResultKey, int], demand: TaskOptions) -> Step:
    match node.role:
        case Role.LOAD:
            action = StepKind.LOAD
        case Role.LISTING:
            action = StepKind.LISTING
        case Role.SAVE:
            action = StepKind.SAVE
        case _:
            action = StepKind.COMPUTE
    # The content of an input is its pin: where it lies is no argument of the kernel.
    pinned = action in (StepKind.LOAD, StepKind.LISTING)
    return Step(
        node.key,
        action,
        node.kernel,
        node.version,
        () if pinned else tuple(numbers[argument] for argument in node.arguments),
        node.arguments,
        node.key in demand.must_store,
        node.key in demand.goals,
        node.key in demand.cheap,
        node.pin,
        node.suffix,
    )
