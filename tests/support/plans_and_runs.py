"""Plans for tests of runs, written in a line each, and listeners that remember."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import numpy as np

from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.execution.events import Event, Progress, ProgressChanged
from voxk8s.execution.executors.protocol import Executor, Send, Session
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.scheduling import (
    NO_RANKS,
    DefaultPolicy,
    Ranks,
    SchedulingPolicy,
)
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey, Scalar, WorkPlan
from voxk8s.storage import ResultStore, open_store
from voxk8s.values import Image

E = TypeVar("E")

QUICK = RetryPolicy(limit=3, backoff=0.001, max_backoff=0.002)
"""Retries without waiting."""


class PlanMaker:
    """Collects nodes and goals; `plan` checks them as a document."""

    def __init__(self, *imports: str) -> None:
        self._imports = list(imports)
        self._nodes: list[dict[str, object]] = []
        self._goals: list[dict[str, object]] = []

    def __call__(self, operator: str, *arguments: str | Scalar) -> str:
        """Add an operation; an argument `@name` is a node, anything else a constant."""
        keys = [self._argument(argument) for argument in arguments]
        return self._add(
            type="operation",
            operator=operator,
            arguments={str(number): key for number, key in enumerate(keys)},
        )

    def constant(self, value: Scalar) -> str:
        """Add a constant."""
        return self._add(type="constant", value=value)

    def loop(self, sequence: str, *steps: str, captured: str = "") -> str:
        """Apply kernels one after the other to each item of a sequence.

        `captured` is a node outside of the loop: the second argument of each.
        """
        nodes: list[dict[str, object]] = [{"id": "item", "type": "parameter", "name": "x"}]
        captures = {"outside": captured[1:]} if captured else {}
        nodes += [{"id": name, "type": "parameter", "name": name} for name in captures]
        last = "item"
        for number, operator in enumerate(steps):
            arguments = {"0": last} | ({"1": "outside"} if captured else {})
            nodes.append(
                {
                    "id": f"s{number}",
                    "type": "operation",
                    "operator": operator,
                    "arguments": arguments,
                }
            )
            last = f"s{number}"
        body = self._add(type="closure", variable="x", captures=captures, nodes=nodes, result=last)
        return self._add(
            type="operation", operator="map", arguments={"0": body[1:], "1": sequence[1:]}
        )

    def show(self, name: str, node: str) -> None:
        """Add a print goal."""
        self._goals.append({"operation": "print", "id": node[1:], "name": name})

    def save(self, name: str, node: str) -> None:
        """Add a save goal."""
        self._goals.append({"operation": "save", "id": node[1:], "name": name})

    def plan(self) -> WorkPlan:
        """Check the document."""
        return load_plan({"imports": self._imports, "nodes": self._nodes, "goals": self._goals})

    def _argument(self, argument: str | Scalar) -> str:
        if isinstance(argument, str) and argument.startswith("@"):
            return argument[1:]
        return self.constant(argument)[1:]

    def _add(self, **form: object) -> str:
        name = f"n{len(self._nodes)}"
        self._nodes.append({"id": name, **form})
        return "@" + name


class Memory:
    """A listener that keeps all events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep one."""
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """Events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def counts(self) -> list[Progress]:
        """All counts that were reported."""
        return [event.progress for event in self.events if isinstance(event, ProgressChanged)]


class Unfused:
    """A scheduling policy: every operation has a task of its own."""

    def fuse(
        self,
        order: Sequence[ResultKey],
        _: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        __: OperationTraits,
    ) -> list[FusionGroup]:
        """Return each operation a group, and each known result one that reads it."""
        reading = [FusionGroup([], [key], [key]) for key in known]
        return [*reading, *(FusionGroup([key], [key]) for key in order)]

    def schedule(
        self, needs: Mapping[TaskKey, Collection[TaskKey]], targets: Sequence[TaskKey]
    ) -> Ranks:
        """Leave the topological order."""
        return NO_RANKS


class CountingPolicy(DefaultPolicy):
    """Counts the tasks that a policy makes, by default those of the default policy."""

    def __init__(self, policy: SchedulingPolicy | None = None) -> None:
        self._policy = policy or DefaultPolicy()
        self.tasks = 0

    def fuse(
        self,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        traits: OperationTraits,
    ) -> list[FusionGroup]:
        """Return the groups of the policy."""
        groups = self._policy.fuse(order, arguments, known, traits)
        self.tasks += len(groups)
        return groups


class RaisingExecutor:
    """Proves that nothing is computed: raises when a run would begin."""

    name = "raising"
    is_local = True

    def start(self, run: str, send: Send) -> Session:
        """Refuse."""
        raise AssertionError("something was to be computed")


def fresh_store(folder: Path | None = None) -> ResultStore:
    """Open a new store: in memory, or in a folder that processes share."""
    if folder is not None:
        return open_store(str(folder / uuid4().hex))
    return open_store(f"memory://{uuid4().hex}")


def engine_on(store: ResultStore, executor: Executor, **options: object) -> ExecutionEngine:
    """Create an engine that retries quickly and by default writes no files."""
    options.setdefault("write_files", False)
    return ExecutionEngine(store, executor=executor, retry=QUICK, **options)  # type: ignore[arg-type]


def image(shape: Sequence[int] = (4, 5, 6), value: float = 1.0) -> Image:
    """Make an image whose first slice is `value`, else 0."""
    array = np.zeros(tuple(shape), np.float32)
    array[0] = value
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Image(array, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), identity)


def write_image(path: Path, value: float = 1.0, shape: Sequence[int] = (4, 5, 6)) -> str:
    """Write an image file; gives its path."""
    from voxk8s.formats.encode_file import encode_file

    path.write_bytes(encode_file(image(shape, value), ".nii.gz").data)
    return str(path)
