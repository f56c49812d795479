"""Task specs: what one task does, as plain data, built from fusion groups.

The values of a task are in numbered slots: its constants, then the values of other tasks, then the
results of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NewType

import msgspec

from voxk8s.execution.tasks.ancestry import Ancestry
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.kernels.worker_resources import Resources
from voxk8s.plan import KeyConstant, KeyNode, KeyOperation, Pin, ResultKey, Role, Scalar
from voxk8s.plan.kernel_version import KernelVersion

TaskKey = NewType("TaskKey", str)
"""Key of a task on an executor."""


class StepKind(StrEnum):
    """How a step gets its value."""

    COMPUTE = "compute"
    LOAD = "load"
    LISTING = "listing"
    SAVE = "save"
    FETCH = "fetch"
    """Read from the store."""
    ADOPT = "adopt"
    """Taken from the task of another run, and stored if that run did not store it."""


_KINDS = {Role.LOAD: StepKind.LOAD, Role.LISTING: StepKind.LISTING, Role.SAVE: StepKind.SAVE}
"""The kinds of steps whose operations are not computed by a kernel."""
_PINNED = (StepKind.LOAD, StepKind.LISTING)


class StepRule(msgspec.Struct, frozen=True):
    """How a step gets its value and what becomes of it; many steps of a task share one object.

    `ancestors` are the kernels of the operations below it, `ancestor_codes` is the code of those of
    users with a version. `must_store`: the result is stored whatever it costs. `goal`: the report
    has the value or a summary of it. `cheap`: no lookup whether another run has stored the result
    meanwhile, and the result is only stored if `must_store` or the store policy `all` demands it.
    `seconds` is the expected cost, 0 if it is small or not known. `refused` is why it cannot be
    computed.
    """

    kind: str
    kernel: str = ""
    version: KernelVersion = KernelVersion()
    must_store: bool = False
    goal: bool = False
    cheap: bool = False
    pin: Pin | None = None
    suffix: str | None = None
    ancestors: tuple[str, ...] = ()
    seconds: float = 0.0
    refused: str = ""
    ancestor_codes: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One operation of a task; `arguments` are numbers of slots."""

    key: str
    rule: StepRule
    arguments: tuple[int, ...] = ()
    argument_keys: tuple[ResultKey, ...] = ()


_FETCH = StepRule(StepKind.FETCH, cheap=True)


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
    resources: Resources = ()
    """What a worker must offer to run the task."""

    @property
    def dependencies(self) -> tuple[TaskKey, ...]:
        """The tasks whose values this one needs, each once, in the order of first use."""
        return tuple(dict.fromkeys(reference.task for reference in self.upstream))

    def __dask_tokenize__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """Which operations are goals, which results must be stored, and which operations are cheap.

    `seconds` are the expected costs of operations that take long, `resources` what operations need
    of a worker. `codes` are short digests of the code of users' kernels with a version, each of
    which the run has computed with, or has read results of.
    """

    goals: Collection[ResultKey]
    must_store: Collection[ResultKey]
    cheap: Collection[ResultKey]
    seconds: Mapping[ResultKey, float] = field(default_factory=dict)
    resources: Mapping[ResultKey, Resources] = field(default_factory=dict)
    codes: Mapping[str, Collection[str]] = field(default_factory=dict)

    def codes_of(self, ancestors: Iterable[str]) -> tuple[str, ...]:
        """Return the code of kernels, given by `KernelVersion.of`, as records have it."""
        if not self.codes:
            return ()
        kernels = {text.partition("@")[0] for text in ancestors}
        return tuple(
            f"{kernel}={code}"
            for kernel in sorted(kernels & self.codes.keys())
            for code in sorted(self.codes[kernel])
        )


def result_task_key(group: FusionGroup) -> TaskKey:
    """Return the result key of a group's only export, or a hash of several."""
    keys = group.exports
    return TaskKey(keys[0] if len(keys) == 1 else f"pack-{_digest(keys)}")


def task_key(group: FusionGroup, nodes: Mapping[ResultKey, KeyNode], salt: str = "") -> TaskKey:
    """Return the key of a group's task: what it does, and the result key of its only export.

    Dask takes what stands before the hyphen as the name of a kind of task, for which it learns how
    long it takes. With a `salt` other runs do not share the task.
    """
    keys = group.exports
    if not group.members:
        kind = "fetch"
    elif len(keys) == 1:
        kind = _operation(nodes, keys[0]).kernel.replace("-", "_")
    else:
        kind = "pack"
    name = keys[0] if len(keys) == 1 else _digest(keys)
    return TaskKey(f"{kind}-{name}-{salt}" if salt else f"{kind}-{name}")


def _digest(keys: Iterable[ResultKey]) -> str:
    return sha256("".join(keys).encode()).hexdigest()


def build_tasks(
    groups: Iterable[FusionGroup],
    nodes: Mapping[ResultKey, KeyNode],
    options: TaskOptions,
    key_of: Callable[[FusionGroup], TaskKey] = result_task_key,
) -> dict[TaskKey, TaskSpec]:
    """Return one task for each group; `groups` are in topological order."""
    exported: dict[ResultKey, UpstreamRef] = {}
    tasks: dict[TaskKey, TaskSpec] = {}
    ancestry = Ancestry()
    for group in groups:
        task = build_task(key_of(group), group, nodes, options, exported, ancestry)
        tasks[task.key] = task
        sole_export = len(group.exports) == 1
        for export in group.exports:
            exported[export] = UpstreamRef(task.key, export, sole_export)
    return tasks


def build_adoption(
    key: TaskKey,
    node: KeyOperation,
    source: UpstreamRef,
    ancestors: tuple[str, ...],
    ancestor_codes: tuple[str, ...] = (),
) -> TaskSpec:
    """Return the task that stores the value of another task, as a goal of the run."""
    rule = StepRule(
        StepKind.ADOPT,
        node.kernel,
        node.version,
        must_store=True,
        goal=True,
        ancestors=ancestors,
        ancestor_codes=ancestor_codes,
    )
    step = Step(node.key, rule, (0,), node.arguments)
    return TaskSpec(key, (), (source,), (step,), (1,))


def build_task(
    key: TaskKey,
    group: FusionGroup,
    nodes: Mapping[ResultKey, KeyNode],
    options: TaskOptions,
    exported: Mapping[ResultKey, UpstreamRef],
    ancestry: Ancestry,
) -> TaskSpec:
    """Return the task of a group; `exported` are the values of other tasks that it may need."""
    inside = {*group.fetches, *group.members}
    members = [_operation(nodes, member) for member in group.members]
    constants: dict[ResultKey, Scalar] = {}
    upstream: dict[ResultKey, UpstreamRef] = {}
    for member in members:
        for argument in member.arguments:
            if argument in inside:
                continue
            node = nodes[argument]
            if isinstance(node, KeyConstant):
                constants[argument] = node.value
            else:
                upstream[argument] = exported[argument]
    keys = (*constants, *upstream, *group.fetches, *group.members)
    slots = {each: number for number, each in enumerate(keys)}
    steps = [Step(fetched, _FETCH) for fetched in group.fetches]
    rules: dict[tuple[object, ...], StepRule] = {}
    for member in members:
        rule = _rule(member, options, ancestry.below(member.key, nodes), rules)
        # An input is read by its pin; its URL is not an argument of a kernel.
        pinned = rule.kind in _PINNED
        arguments = () if pinned else tuple([slots[each] for each in member.arguments])
        steps.append(Step(member.key, rule, arguments, member.arguments))
    return TaskSpec(
        key,
        tuple(constants.values()),
        tuple(upstream.values()),
        tuple(steps),
        tuple([slots[key] for key in group.exports]),
        _needed(group, options.resources) if options.resources else (),
    )


def _needed(group: FusionGroup, resources: Mapping[ResultKey, Resources]) -> Resources:
    """Return what a worker must offer for a group: of each resource the most of any member."""
    most: dict[str, float] = {}
    for member in group.members:
        for name, amount in resources.get(member, ()):
            most[name] = max(amount, most.get(name, 0.0))
    return tuple(sorted(most.items()))


def _operation(nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> KeyOperation:
    node = nodes[key]
    if not isinstance(node, KeyOperation):
        raise TypeError(f"expected an operation, got the constant {key}")
    return node


def _rule(
    node: KeyOperation,
    options: TaskOptions,
    ancestors: tuple[str, ...],
    rules: dict[tuple[object, ...], StepRule],
) -> StepRule:
    """Return the rule of an operation, one of `rules` if it is there."""
    key = node.key
    must_store, goal, cheap = key in options.must_store, key in options.goals, key in options.cheap
    seconds = options.seconds.get(key, 0.0)
    kind = _KINDS.get(node.role, StepKind.COMPUTE)
    # Equal versions and ancestors are one object each, which are compared faster by their numbers.
    place = (node.kernel, id(node.version), id(ancestors), must_store, goal, cheap, seconds)
    found = rules.get(place) if kind is StepKind.COMPUTE else None
    if found is None:
        found = StepRule(
            kind,
            node.kernel,
            node.version,
            must_store,
            goal,
            cheap,
            node.pin,
            node.suffix,
            ancestors,
            seconds,
            ancestor_codes=options.codes_of(ancestors),
        )
        if kind is StepKind.COMPUTE:
            rules[place] = found
    return found
