"""The tasks that all runs of this process have on its threads.

A task that several runs need runs once. It is held by the runs that have not released it, and by
the tasks that need its value; when nothing holds it, its value is freed, or it is not run.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Protocol

from voxk8s.errors import WorkerLost
from voxk8s.execution.executors.protocol import Message, TaskDone, TaskLost
from voxk8s.execution.executors.worker_threads import WorkerThreads
from voxk8s.execution.operation_reports import Failed
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.failure import Failure, failure_of


class Owner(Protocol):
    """A run that has submitted tasks."""

    ended: bool
    """Whether it needs nothing any more; its store may be closed."""

    def notify(self, message: Message) -> None:
        """Take a message about a task of the run."""


class State(Enum):
    """How far a task is."""

    WAITING = auto()
    """It needs values, or a thread."""
    RUNNING = auto()
    DONE = auto()
    LOST = auto()
    """It has no value and never will."""


class PooledTask:
    """A task, what holds it, and its value."""

    __slots__ = (
        "dropped",
        "holders",
        "is_interrupted",
        "listeners",
        "missing",
        "needs",
        "owner",
        "pool",
        "rank",
        "run_spec",
        "spec",
        "state",
        "users",
        "value",
    )

    def __init__(
        self, pool: TaskPool, spec: TaskSpec, owner: Owner, run: RunSpec, rank: float
    ) -> None:
        self.pool = pool
        self.spec = spec
        self.rank = rank
        self.owner = owner
        self.run_spec = run
        self.state = State.WAITING
        self.value: object = None
        """The value of a task that is done, the `TaskLost` of one that is lost."""
        self.holders: dict[Owner, RunSpec] = {owner: run}
        self.listeners: dict[Owner, None] = {owner: None}
        self.needs: tuple[PooledTask, ...] = ()
        self.users: set[PooledTask] = set()
        """The tasks that need its value and have not run."""
        self.missing = 0
        """How many of the values that it needs are missing."""
        self.dropped = False
        self.is_interrupted = False

    @property
    def is_held(self) -> bool:
        """Whether a run, or a task that has not run, needs it."""
        return bool(self.holders or self.users)

    def run(self) -> None:
        """Run the task in a thread of the pool."""
        self.pool.run(self)

    # The task as its kernels see it, see `runtime.TaskThread`.

    def secede(self) -> bool:
        """Let another task run in the place of this one."""
        return self.pool.threads.secede()

    def rejoin(self) -> None:
        """Wait for a place to continue."""
        self.pool.threads.rejoin()

    def is_cancelled(self) -> bool:
        """Whether no run needs the task any more."""
        if self.is_held:
            return False
        self.is_interrupted = True
        return True


class TaskPool:
    """The tasks on the threads of this process; safe to use from several threads."""

    def __init__(self) -> None:
        self.threads = WorkerThreads()
        self._tasks: dict[TaskKey, PooledTask] = {}
        self._order = itertools.count()

    def reset_after_fork(self) -> None:
        """Forget everything, in a forked process."""
        self.threads.reset_after_fork()
        self._tasks = {}

    def submit(
        self,
        owner: Owner,
        tasks: Iterable[tuple[TaskSpec, float | None]],
        run: RunSpec,
        held: dict[TaskKey, PooledTask],
    ) -> None:
        """Add tasks to those that a run holds, in topological order.

        Each comes with its rank; those without one run in the order in which they are given.
        """
        messages: list[Message] = []
        freed: list[object] = []
        with self.threads.lock:
            for spec, rank in tasks:
                task = self._tasks.get(spec.key)
                if task is None or not _is_shared(task, held):
                    order = next(self._order) if rank is None else rank
                    task = self._add(spec, owner, run, order, held)
                elif owner not in task.holders:
                    self._join(task, owner, run, rank)
                replaced, held[spec.key] = held.get(spec.key), task
                if replaced is not None and replaced is not task:
                    replaced.holders.pop(owner, None)
                    self._drop(replaced, freed)
                if task.state is State.DONE:
                    messages.append(TaskDone(spec.key))
                elif isinstance(task.value, TaskLost):
                    messages.append(task.value)
            self.threads.start_ready()
        for message in messages:
            owner.notify(message)

    def release(
        self, owner: Owner, keys: Iterable[TaskKey], held: dict[TaskKey, PooledTask]
    ) -> None:
        """Remove tasks from those that a run holds; frees values that nothing else needs."""
        freed: list[object] = []
        with self.threads.lock:
            for key in keys:
                task = held.pop(key, None)
                if task is not None:
                    task.holders.pop(owner, None)
                    self._drop(task, freed)

    def run(self, task: PooledTask) -> None:
        """Run a task in the calling thread, one of the pool."""
        generation = self.threads.generation
        with self.threads.lock:
            if task.dropped or task.state is not State.WAITING:
                # A task that gets a lower rank is queued twice.
                return
            if task.owner.ended:
                _change_owner(task)
            task.state = State.RUNNING
            upstream = [need.value for need in task.needs]
        runtime.set_task_thread(task)
        lost: Failure | None = None
        value: object = None
        try:
            value = run_task(task.spec, task.run_spec, *upstream)
        except BaseException as error:  # noqa: BLE001  # reported, and the thread goes on
            lost = failure_of(error)
        finally:
            runtime.set_task_thread(None)
            del upstream
        if self.threads.generation != generation:
            return
        if lost is None:
            self._done(task, value)
        else:
            self._lost(task, lost)

    def _add(
        self,
        spec: TaskSpec,
        owner: Owner,
        run: RunSpec,
        rank: float,
        held: dict[TaskKey, PooledTask],
    ) -> PooledTask:
        task = PooledTask(self, spec, owner, run, rank)
        needs = []
        for key in spec.dependencies:
            need = held.get(key) or self._tasks.get(key)
            if need is None or need.state is State.LOST:
                task.state = State.LOST
                lost = failure_of(WorkerLost(f"the value of task {key} is not held any more"))
                task.value = TaskLost(spec.key, lost, key)
                return task
            needs.append(need)
        self._tasks[spec.key] = task
        task.needs = tuple(needs)
        for need in needs:
            need.users.add(task)
            task.missing += need.state is not State.DONE
        if not task.missing:
            self.threads.add(task, rank)
        return task

    def _join(self, task: PooledTask, owner: Owner, run: RunSpec, rank: float | None) -> None:
        """Let another run hold a task; it runs as early as either of them wants."""
        task.holders[owner] = run
        task.listeners[owner] = None
        if rank is not None and rank < task.rank and task.state is State.WAITING:
            task.rank = rank
            if not task.missing:
                self.threads.add(task, rank)

    def _done(self, task: PooledTask, value: object) -> None:
        freed: list[object] = []
        with self.threads.lock:
            if task.is_interrupted and task.is_held:
                # Another run needs it now.
                task.is_interrupted = False
                _change_owner(task)
                task.state = State.WAITING
                self.threads.add(task, task.rank)
                return
            task.state = State.DONE
            task.value = value
            for user in task.users:
                user.missing -= 1
                if not user.missing:
                    self.threads.add(user, user.rank)
            self._let_go(task, freed)
            listeners, task.listeners = list(task.listeners), {}
            self._drop(task, freed)
            self.threads.start_ready(returning=True)
        for owner in listeners:
            if not owner.ended:
                owner.notify(TaskDone(task.spec.key))

    def _lost(self, task: PooledTask, failure: Failure) -> None:
        """End a task without a value, and all that need it."""
        freed: list[object] = []
        messages: list[tuple[TaskLost, list[Owner]]] = []
        with self.threads.lock:
            stack = [task]
            while stack:
                each = stack.pop()
                if each.state is State.LOST:
                    continue
                each.state = State.LOST
                lost = TaskLost(each.spec.key, failure, task.spec.key)
                each.value = lost
                each.dropped = True
                stack.extend(each.users)
                self._let_go(each, freed)
                self._forget(each)
                messages.append((lost, list(each.listeners)))
        for lost, listeners in messages:
            for owner in listeners:
                if not owner.ended:
                    owner.notify(lost)

    def _drop(self, task: PooledTask, freed: list[object]) -> None:
        """Forget a task that nothing holds, and those that only it has needed."""
        if task.is_held or task.state is State.RUNNING:
            return
        task.dropped = True
        self._forget(task)
        # Freed after the lock is released: that can take milliseconds for large values.
        freed.append(task.value)
        task.value = None
        self._let_go(task, freed)

    def _let_go(self, task: PooledTask, freed: list[object]) -> None:
        """Release what a task needs."""
        stack = [task]
        while stack:
            each = stack.pop()
            needs, each.needs = each.needs, ()
            for need in needs:
                need.users.discard(each)
                if not need.is_held and need.state is not State.RUNNING:
                    need.dropped = True
                    self._forget(need)
                    freed.append(need.value)
                    need.value = None
                    stack.append(need)

    def _forget(self, task: PooledTask) -> None:
        if self._tasks.get(task.spec.key) is task:
            del self._tasks[task.spec.key]


def _change_owner(task: PooledTask) -> None:
    """Let a task run for a run that still needs it, or needs a task above it."""
    stack, seen = [task], {task}
    while stack:
        each = stack.pop()
        for owner, run in each.holders.items():
            if not owner.ended:
                task.owner, task.run_spec = owner, run
                return
        # There are more ways up than there are tasks, by far.
        stack.extend(each.users - seen)
        seen |= each.users


def _is_shared(task: PooledTask, held: Mapping[TaskKey, PooledTask]) -> bool:
    """Whether a run that holds the tasks in `held` may use the task of another run.

    Failures of earlier runs are not shared, nor tasks that are about to inherit them.
    """
    match task.state:
        case State.WAITING:
            return all(held.get(need.spec.key, need) is need for need in task.needs)
        case State.RUNNING:
            return True
        case State.DONE:
            exports = task.value if len(task.spec.exports) > 1 else {"": task.value}
            return isinstance(exports, dict) and not any(
                isinstance(value, Failed) for value in exports.values()
            )
        case State.LOST:
            return False


shared_pool = TaskPool()
"""The pool of this process."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared_pool.reset_after_fork)
