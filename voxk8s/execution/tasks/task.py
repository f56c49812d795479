"""Task specs: what one task does, as plain data, built from fusion groups.

The values of a task are in numbered slots: its constants, then the values of other tasks, then the
results of its steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, NewType

from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, Pin, ResultKey, Role, Scalar
from voxk8s.plan.kernel_version import KernelVersion

TaskKey = NewType("TaskKey", str)
"""Key of a task on Dask: the result key of its only export, or a hash of several."""


class StepKind(StrEnum):
    """How a step gets its value."""

    COMPUTE = "compute"
    LOAD = "load"
    LISTING = "listing"
    SAVE = "save"
    FETCH = "fetch"
    """Read from the store."""


_KINDS = {Role.LOAD: StepKind.LOAD, Role.LISTING: StepKind.LISTING, Role.SAVE: StepKind.SAVE}
"""The kinds of steps whose operations are not computed by a kernel."""


class Step(NamedTuple):
    """One operation of a task; `arguments` are slot slots.

    `must_store`: the result is stored whatever it costs. `goal`: the report has the value or a
    summary of it. `cheap`: no lookup whether another run has stored the result meanwhile, and the
    result is only stored if `must_store` or the store policy `all` demands it.
    """

    key: str
    kind: str
    kernel: str = ""
    version: KernelVersion = KernelVersion()
    arguments: tuple[int, ...] = ()
    argument_keys: tuple[ResultKey, ...] = ()
    must_store: bool = False
    goal: bool = False
    cheap: bool = False
    pin: Pin | None = None
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class UpstreamRef:
    """A reference to a value that another task exports."""

    task: TaskKey
    key: ResultKey
    sole_export: bool
    """The task returns the bare value; with several exports it returns a mapping by key."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task: its constants, the values it needs from other tasks, its steps and its exports."""

    key: TaskKey
    constants: tuple[Scalar, ...]
    upstream: tuple[UpstreamRef, ...]
    steps: tuple[Step, ...]
    exports: tuple[int, ...]
    """Numbers of the slots whose values the task returns."""

    @property
    def dependencies(self) -> tuple[TaskKey, ...]:
        """The tasks whose values this one needs, each once, in the order of first use."""
        return tuple(dict.fromkeys(reference.task for reference in self.upstream))

    def __dask_tokenize__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """Which operations are goals, which results must be stored, and which operations are cheap."""

    goals: Collection[ResultKey]
    must_store: Collection[ResultKey]
    cheap: Collection[ResultKey]
    salt: str = ""
    """Part of the task keys that makes them unique to a run."""


def task_key(exports: Iterable[ResultKey], salt: str = "") -> TaskKey:
    """Return the key of the task with these exports; with a `salt` other runs do not share it."""
    keys = tuple(exports)
    name = keys[0] if len(keys) == 1 else "pack-" + sha256("".join(keys).encode()).hexdigest()
    return TaskKey(f"{name}-{salt}" if salt else name)


def build_tasks(
    groups: Iterable[FusionGroup], nodes: Mapping[ResultKey, KeyNode], options: TaskOptions
) -> dict[TaskKey, TaskSpec]:
    """Return one task for each group; `groups` are in topological order."""
    exported: dict[ResultKey, UpstreamRef] = {}
    tasks: dict[TaskKey, TaskSpec] = {}
    for group in groups:
        task = _task(group, nodes, options, exported)
        tasks[task.key] = task
        sole_export = len(group.exports) == 1
        for export in group.exports:
            exported[export] = UpstreamRef(task.key, export, sole_export)
    return tasks


def _task(
    group: FusionGroup,
    nodes: Mapping[ResultKey, KeyNode],
    options: TaskOptions,
    exported: Mapping[ResultKey, UpstreamRef],
) -> TaskSpec:
    inside = {*group.fetches, *group.members}
    constants: dict[ResultKey, Scalar] = {}
    upstream: dict[ResultKey, UpstreamRef] = {}
    for member in group.members:
        for argument in _operation(nodes, member).arguments:
            node = nodes[argument]
            if isinstance(node, KeyConstant):
                constants[argument] = node.value
            elif argument not in inside:
                upstream[argument] = exported[argument]
    slots = {key: number for number, key in enumerate((*constants, *upstream))}
    steps: list[Step] = []
    for key in (*group.fetches, *group.members):
        slots[key] = len(constants) + len(upstream) + len(steps)
        if key in group.fetches:
            steps.append(Step(key, StepKind.FETCH, cheap=True))
        else:
            steps.append(_step(_operation(nodes, key), slots, options))
    return TaskSpec(
        task_key(group.exports, options.salt),
        tuple(constants.values()),
        tuple(upstream.values()),
        tuple(steps),
        tuple(slots[key] for key in group.exports),
    )


def _operation(nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> KeyOperation:
    node = nodes[key]
    if not isinstance(node, KeyOperation):
        raise TypeError(f"expected an operation, got the constant {key}")
    return node


def _step(node: KeyOperation, slots: Mapping[ResultKey, int], options: TaskOptions) -> Step:
    kind = _KINDS.get(node.role, StepKind.COMPUTE)
    # An input is read by its pin; its URL is not an argument of a kernel.
    pinned = kind in (StepKind.LOAD, StepKind.LISTING)
    return Step(
        node.key,
        kind,
        node.kernel,
        node.version,
        () if pinned else tuple(slots[argument] for argument in node.arguments),
        node.arguments,
        node.key in options.must_store,
        node.key in options.goals,
        node.key in options.cheap,
        node.pin,
        node.suffix,
    )
