"""The state of a run: its graph, its tasks, and the targets that have ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from voxk8s.execution.futures import LazyFuture, drop_operation_future, set_operation_future
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.failure import Failure
from voxk8s.plan import Goal, KeyGraph, KeyOperation, OperationId, ResultKey
from voxk8s.values import Value


@dataclass(slots=True)
class RunState:
    """The state of one run; only the thread that executes the run changes it.

    A *target* is a result that the run itself needs: of a goal, or the pivot of a loop.
    """

    graph: KeyGraph
    tasks: dict[TaskKey, TaskSpec] = field(default_factory=dict)
    watched: dict[TaskKey, tuple[ResultKey, ...]] = field(default_factory=dict)
    """Targets by the task that computes them."""
    pending: set[TaskKey] = field(default_factory=set)
    """Watched tasks that have not ended."""
    settled: dict[ResultKey, Report | None] = field(default_factory=dict)
    """Targets that have ended; None for those that the store holds."""
    pivots: dict[ResultKey, Value] = field(default_factory=dict)
    """Values of pivots that have been read."""
    input_failures: dict[OperationId, Failure] = field(default_factory=dict)
    """Why inputs cannot be pinned."""
    lost_attempts: dict[TaskKey, int] = field(default_factory=dict)
    """How often the worker of a task died."""
    vanished: dict[ResultKey, int] = field(default_factory=dict)
    """How often a result vanished from the store."""
    futures: dict[ResultKey, LazyFuture] = field(default_factory=dict)
    """Futures that this run has registered for `get_operation_future`."""
    stale: bool = False
    """Whether something has to be submitted (again)."""
    _goals: dict[ResultKey, list[Goal]] = field(default_factory=dict)
    _indexed: KeyGraph | None = None

    def targets(self) -> list[ResultKey]:
        """Return all targets that have a key, goals first."""
        keys = [goal.key for goal in self.graph.goals if goal.key is not None]
        keys += [deferred.pivot for deferred in self.graph.deferred]
        return list(dict.fromkeys(keys))

    def goals_of(self, key: ResultKey) -> list[Goal]:
        """Return the goals that ask for a result."""
        if self._indexed is not self.graph:
            self._indexed = self.graph
            self._goals = {}
            for goal in self.graph.goals:
                if goal.key is not None:
                    self._goals.setdefault(goal.key, []).append(goal.goal)
        return self._goals.get(key, [])

    def pending_targets(self) -> set[ResultKey]:
        """Return the targets of tasks that have not ended."""
        return {key for task in self.pending for key in self.watched[task]}

    def blocked(self) -> dict[OperationId, Failure]:
        """Return why operations can never have a key: inputs without a pin, invalid arguments."""
        inputs = {
            name: each for name, each in self.input_failures.items() if name in self.graph.unpinned
        }
        rejected = {
            name: Failure(message, operation=name) for name, message in self.graph.rejected.items()
        }
        return inputs | rejected

    def task_of(self, key: ResultKey) -> tuple[TaskKey, bool]:
        """Return the task of a target, and whether the target is its only export."""
        for task, keys in self.watched.items():
            if key in keys:
                return task, len(self.tasks[task].exports) == 1
        raise KeyError(key)

    def unread_pivots(self) -> list[ResultKey]:
        """Return pivots that are computed and whose values have not been read."""
        return [
            deferred.pivot
            for deferred in self.graph.deferred
            if deferred.pivot not in self.pivots
            and deferred.pivot in self.settled
            and not is_failure(self.settled[deferred.pivot])
        ]

    def register_futures(self, task: TaskKey) -> None:
        """Register a future for each target of a task, by its operation id."""
        for key in self.watched[task]:
            node = self.graph.nodes[key]
            if isinstance(node, KeyOperation) and key not in self.futures:
                future = LazyFuture()
                if set_operation_future(node.operation, future):
                    self.futures[key] = future

    def resolve_futures(self, outcomes: tuple[GoalOutcome, ...]) -> None:
        """Set the values, or the exceptions, of the futures of goals."""
        for outcome in outcomes:
            future = None if outcome.key is None else self.futures.get(outcome.key)
            if future is None or future.done():
                continue
            if outcome.failure is None:
                future.set_loader(outcome.load)
            else:
                future.set_exception(RuntimeError(str(outcome.failure)))

    def drop_futures(self) -> None:
        """Unregister all futures; those without a value are cancelled."""
        for key, future in self.futures.items():
            node = self.graph.nodes[key]
            if isinstance(node, KeyOperation):
                drop_operation_future(node.operation, future)
            future.cancel()


def is_failure(report: Report | None) -> bool:
    """Whether a target has ended without a value."""
    return report is not None and report.status in (Status.FAILED, Status.SKIPPED)
