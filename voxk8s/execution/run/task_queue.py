"""The tasks of a run: which may start, which values the run still needs. No I/O.

The executor holds a bounded number of tasks, whatever the size of the plan: tasks start in the
order of their ranks, each after those that it depends on, as others end. A value is released when
every task that depends on it has started and no target or loop needs it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from operator import attrgetter

from voxk8s.execution.tasks.ancestry import Ancestry
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.scheduling import SchedulingPolicy
from voxk8s.execution.tasks.target_order import longest_first
from voxk8s.execution.tasks.task import (
    TaskKey,
    TaskOptions,
    TaskSpec,
    UpstreamRef,
    build_adoption,
    build_task,
    task_key,
)
from voxk8s.plan import KeyNode, KeyOperation, ResultKey


class TaskState(Enum):
    """The state of one task."""

    WAITING = "waiting"
    """It has not been given to the executor."""
    STARTED = "started"
    """The executor has it."""
    DONE = "done"
    """The executor holds its value."""
    DROPPED = "dropped"
    """The run does not need it any more, or its value cannot be used."""


@dataclass(slots=True, eq=False)
class QueuedTask:
    """One task; `targets` are the results for which the run itself waits.

    `options` is None for a task that adopts the value of another one.
    """

    key: TaskKey
    group: FusionGroup
    needs: tuple[QueuedTask, ...]
    targets: tuple[ResultKey, ...]
    options: TaskOptions | None
    rank: float
    alone: bool = False
    """It starts when no other task is running, since it may be the one that kills workers."""
    state: TaskState = TaskState.WAITING
    users: dict[TaskKey, QueuedTask] = field(default_factory=dict)
    """Tasks that depend on it and have not started."""
    not_started: int = 0
    """How many of its needs have not started."""
    kept: bool = False
    """Its value stays with the executor, for a target that has it nowhere else."""

    @property
    def root(self) -> ResultKey:
        """The operation that messages about the task name."""
        return self.group.exports[0]


class TaskQueue:
    """The tasks of one run."""

    def __init__(self, salt: str = "") -> None:
        """`salt` is part of all task keys, so that other runs do not share the tasks."""
        self.salt = salt
        self._ancestry = Ancestry()
        self.started = 0
        """Tasks that the executor has and that have not ended."""
        self._tasks: dict[TaskKey, QueuedTask] = {}
        self._producers: dict[ResultKey, QueuedTask] = {}
        self._running: dict[ResultKey, QueuedTask] = {}
        self._ready: list[tuple[float, int, QueuedTask]] = []
        self._uses: Counter[TaskKey] = Counter()
        self._released: list[TaskKey] = []
        self._held: frozenset[ResultKey] = frozenset()
        self._number = 0
        self._runs_alone = False

    @property
    def unfinished(self) -> bool:
        """Whether a task has not ended."""
        return self.started > 0 or self._next() is not None

    def producer(self, key: ResultKey) -> QueuedTask | None:
        """Return the task that has the value of a result, or will have it."""
        return self._producers.get(key)

    def running(self, operation: ResultKey) -> QueuedTask | None:
        """Return the task that the executor has for an operation."""
        return self._running.get(operation)

    def find(self, key: TaskKey) -> QueuedTask | None:
        """Return a task by its key."""
        return self._tasks.get(key)

    @property
    def provided(self) -> Collection[ResultKey]:
        """All results that tasks have, or will have."""
        return self._producers.keys()

    def started_keys(self) -> list[TaskKey]:
        """Return the keys of the tasks that the executor has and that have not ended."""
        return [task.key for task in self._tasks.values() if task.state is TaskState.STARTED]

    def add(
        self,
        groups: Sequence[FusionGroup],
        nodes: Mapping[ResultKey, KeyNode],
        options: TaskOptions,
        policy: SchedulingPolicy,
        suspects: frozenset[ResultKey] = frozenset(),
    ) -> None:
        """Add the tasks of groups, given in topological order.

        They run before those of earlier calls that have not ended, as if a loop had been known from
        the beginning. After those, it would hold what its items need until all other loops have
        begun; between them, half of the items of each. A task whose key was used before gets
        another one: its first value cannot be used. The tasks of `suspects` start alone.
        """
        added: list[QueuedTask] = []
        first = self._first_rank()
        for group in groups:
            needs: dict[TaskKey, QueuedTask] = {}
            inside = {*group.fetches, *group.members}
            for member in group.members:
                for argument in nodes[member].arguments:
                    if argument not in inside and argument in self._producers:
                        producer = self._producers[argument]
                        needs[producer.key] = producer
            targets = tuple(key for key in group.exports if key in options.goals)
            key = self._unused(task_key(group, nodes, self.salt))
            task = QueuedTask(key, group, tuple(needs.values()), targets, options, 0)
            task.alone = bool(suspects) and not suspects.isdisjoint(group.members)
            self._insert(task)
            added.append(task)
        ordered, needs_of = longest_first(
            [task.key for task in added if task.targets],
            {task.key: [need.key for need in task.needs] for task in added},
            {task.key: task.group.seconds for task in added},
        )
        ranks = policy.schedule(needs_of, ordered)
        last = len(added)
        for number, task in enumerate(added):
            task.rank = ranks.get(task.key, last + number)
        if first < inf:
            _squeeze(added, first)
        for task in added:
            if not task.not_started:
                self._push(task)

    def adopt(self, key: ResultKey, salt: str) -> bool:
        """Add a task that stores the value of a target as this run's own; False if it is gone."""
        source = self._producers.get(key)
        if source is None or source.options is None:
            return False
        name = self._unused(TaskKey(f"adopt-{key}-{salt}"))
        task = QueuedTask(name, FusionGroup([], [key]), (source,), (key,), None, source.rank)
        source.targets = tuple(each for each in source.targets if each != key)
        self._insert(task)
        if not task.not_started:
            self._push(task)
        return True

    def take(self, most: int) -> list[QueuedTask]:
        """Return the tasks that start now, in topological order; at most `most` are running."""
        taken: list[QueuedTask] = []
        while self.started < most and not self._runs_alone:
            task = self._next()
            if task is None or (task.alone and self.started):
                break
            heapq.heappop(self._ready)
            self._start(task)
            self._runs_alone = task.alone
            taken.append(task)
        return taken

    def spec(self, task: QueuedTask, nodes: Mapping[ResultKey, KeyNode]) -> TaskSpec:
        """Return what a task does; its needs must not be dropped."""
        exported: dict[ResultKey, UpstreamRef] = {}
        for need in task.needs:
            sole_export = len(need.group.exports) == 1
            for export in need.group.exports:
                exported[export] = UpstreamRef(need.key, export, sole_export)
        if task.options is None:
            node = nodes[task.root]
            if not isinstance(node, KeyOperation):
                raise TypeError(f"expected an operation, got the constant {task.root}")
            ancestors = self._ancestry.below(task.root, nodes)
            [source] = task.needs
            codes = () if source.options is None else source.options.codes_of(ancestors)
            return build_adoption(task.key, node, exported[task.root], ancestors, codes)
        return build_task(task.key, task.group, nodes, task.options, exported, self._ancestry)

    def done(self, key: TaskKey) -> QueuedTask | None:
        """Record that a task has its value, which is kept for its targets; None if not needed."""
        task = self._tasks.get(key)
        if task is None or task.state is not TaskState.STARTED:
            return None
        self._end(task)
        task.state = TaskState.DONE
        task.kept = bool(task.targets)
        self._release_unneeded(task)
        return task

    def settle(self, task: QueuedTask) -> None:
        """Record that the targets of a task do not need its value any more."""
        task.kept = False
        self._release_unneeded(task)

    def drop(self, task: QueuedTask) -> list[QueuedTask]:
        """Give up a task, and those that depend on it and have not started; return them all.

        The operations of these tasks are to be planned again where they are needed.
        """
        dropped: list[QueuedTask] = []
        stack = [task]
        while stack:
            each = stack.pop()
            if each.state is TaskState.DROPPED:
                continue
            if each.state is TaskState.STARTED:
                self._end(each)
            if each.state is not TaskState.WAITING:
                self._released.append(each.key)
            each.state = TaskState.DROPPED
            dropped.append(each)
            self._forget(each)
            stack += each.users.values()
            for need in each.needs:
                if need.users.pop(each.key, None) is not None:
                    self._release_unneeded(need)
        return dropped

    def drop_all(self, salt: str) -> list[QueuedTask]:
        """Give up all tasks, and return them; later ones are not shared with other runs."""
        self.salt = salt
        return [each for task in list(self._tasks.values()) for each in self.drop(task)]

    def hold(self, keys: frozenset[ResultKey]) -> None:
        """Keep the values of these results, which operations without a key will need."""
        before, self._held = self._held, keys
        for key in before - self._held:
            if key in self._producers:
                self._release_unneeded(self._producers[key])

    def released(self) -> list[TaskKey]:
        """Return the tasks whose values the executor may forget, once each."""
        released, self._released = self._released, []
        return released

    # ---

    def _first_rank(self) -> float:
        """Return the lowest rank of a task that has not ended."""
        left = (TaskState.WAITING, TaskState.STARTED)
        return min((each.rank for each in self._tasks.values() if each.state in left), default=inf)

    def _unused(self, key: TaskKey) -> TaskKey:
        self._uses[key] += 1
        uses = self._uses[key]
        return key if uses == 1 else TaskKey(f"{key}-again{uses - 1}")

    def _insert(self, task: QueuedTask) -> None:
        self._tasks[task.key] = task
        for need in task.needs:
            need.users[task.key] = task
            task.not_started += need.state is TaskState.WAITING
        for export in task.group.exports:
            self._producers[export] = task

    def _start(self, task: QueuedTask) -> None:
        task.state = TaskState.STARTED
        self.started += 1
        for member in (*task.group.fetches, *task.group.members):
            self._running[member] = task
        for user in task.users.values():
            user.not_started -= 1
            if not user.not_started:
                self._push(user)
        for need in task.needs:
            del need.users[task.key]
            self._release_unneeded(need)

    def _next(self) -> QueuedTask | None:
        """Return the task that can start first."""
        while self._ready:
            task = self._ready[0][2]
            if task.state is TaskState.WAITING:
                return task
            heapq.heappop(self._ready)
        return None

    def _push(self, task: QueuedTask) -> None:
        self._number += 1
        heapq.heappush(self._ready, (task.rank, self._number, task))

    def _end(self, task: QueuedTask) -> None:
        self.started -= 1
        self._runs_alone = False
        for member in (*task.group.fetches, *task.group.members):
            if self._running.get(member) is task:
                del self._running[member]

    def _release_unneeded(self, task: QueuedTask) -> None:
        if (
            task.state is TaskState.DONE
            and not task.users
            and not task.kept
            and not any(export in self._held for export in task.group.exports)
        ):
            task.state = TaskState.DROPPED
            self._released.append(task.key)
            self._forget(task)

    def _forget(self, task: QueuedTask) -> None:
        self._tasks.pop(task.key, None)
        for export in task.group.exports:
            if self._producers.get(export) is task:
                del self._producers[export]


def _squeeze(tasks: Sequence[QueuedTask], first: float) -> None:
    """Change ranks to the same order just below `first`, that of the first task that is left.

    Not further: on an executor of several runs, one with many loops would come before all others.
    """
    step = 1 / (len(tasks) + 1)
    for number, task in enumerate(sorted(tasks, key=attrgetter("rank")), 1):
        task.rank = first - 1 + number * step
