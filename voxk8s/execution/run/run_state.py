"""What changes while a run goes on: its graph, its tasks and what has become of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from voxk8s.execution.futures import (
    LateFuture,
    drop_operation_future,
    set_operation_future,
)
from voxk8s.execution.outcome import Report, Status
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.failure import Failure
from voxk8s.plan import Goal, KeyGraph, KeyOperation, OperationId, ResultKey
from voxk8s.values import Value


@dataclass(slots=True)
class RunState:
    """The state of one run; changed by the thread that runs it only.

    A *target* is a result that is wanted by itself: of a goal, or a pivot that holds others up.
    """

    graph: KeyGraph
    tasks: dict[TaskKey, TaskSpec] = field(default_factory=dict)
    watched: dict[TaskKey, tuple[ResultKey, ...]] = field(default_factory=dict)
    """Targets by the task that gives them."""
    waiting: set[TaskKey] = field(default_factory=set)
    """Watched tasks that have not ended."""
    settled: dict[ResultKey, Report | None] = field(default_factory=dict)
    """Targets that have ended; None for those that the store held."""
    pivots: dict[ResultKey, Value] = field(default_factory=dict)
    """Values of pivots, as far as they are known."""
    input_failures: dict[OperationId, Failure] = field(default_factory=dict)
    """Inputs that cannot be pinned."""
    losses: dict[TaskKey, int] = field(default_factory=dict)
    """How often the processes that ran a task were lost."""
    gone: dict[ResultKey, int] = field(default_factory=dict)
    """How often a result was not where it should have been."""
    futures: dict[ResultKey, LateFuture] = field(default_factory=dict)
    """Those that this run has registered for others to see."""
    stale: bool = False
    """Something is to be submitted (again)."""
    _goals: dict[ResultKey, list[Goal]] = field(default_factory=dict)
    _indexed: KeyGraph | None = None

    def targets(self) -> list[ResultKey]:
        """List all targets that have a key, goals first."""
        keys = [goal.key for goal in self.graph.goals if goal.key is not None]
        keys += [deferred.pivot for deferred in self.graph.deferred]
        return list(dict.fromkeys(keys))

    def goals_of(self, key: ResultKey) -> list[Goal]:
        """List the goals that a result answers."""
        if self._indexed is not self.graph:
            self._indexed = self.graph
            self._goals = {}
            for goal in self.graph.goals:
                if goal.key is not None:
                    self._goals.setdefault(goal.key, []).append(goal.goal)
        return self._goals.get(key, [])

    def under_way(self) -> set[ResultKey]:
        """Collect the targets of tasks that have not ended."""
        return {key for task in self.waiting for key in self.watched[task]}

    def blocked(self) -> dict[OperationId, Failure]:
        """Return why operations can never have a key: inputs without a pin, wrong arguments."""
        inputs = {
            name: each for name, each in self.input_failures.items() if name in self.graph.unpinned
        }
        rejected = {
            name: Failure(message, operation=name) for name, message in self.graph.rejected.items()
        }
        return inputs | rejected

    def home(self, key: ResultKey) -> tuple[TaskKey, bool]:
        """Give the task of a target, and whether that is its only export."""
        for task, keys in self.watched.items():
            if key in keys:
                return task, len(self.tasks[task].exports) == 1
        raise KeyError(key)

    def waiting_pivots(self) -> list[ResultKey]:
        """List pivots that have ended well and whose values are not known here."""
        return [
            deferred.pivot
            for deferred in self.graph.deferred
            if deferred.pivot not in self.pivots
            and deferred.pivot in self.settled
            and not is_failure(self.settled[deferred.pivot])
        ]

    def announce(self, task: TaskKey) -> None:
        """Register a future for each target of a task, by operation id."""
        for key in self.watched[task]:
            node = self.graph.nodes[key]
            if isinstance(node, KeyOperation) and key not in self.futures:
                future = LateFuture()
                if set_operation_future(node.operation, future):
                    self.futures[key] = future

    def fulfil(self, outcomes: tuple[GoalOutcome, ...]) -> None:
        """Give the futures of goals their values."""
        for outcome in outcomes:
            future = None if outcome.key is None else self.futures.get(outcome.key)
            if future is None or future.done():
                continue
            if outcome.failure is None:
                future.finish(outcome.load)
            else:
                future.set_exception(RuntimeError(str(outcome.failure)))

    def withdraw(self) -> None:
        """Take all futures out of the table; those without a value are cancelled."""
        for key, future in self.futures.items():
            node = self.graph.nodes[key]
            if isinstance(node, KeyOperation):
                drop_operation_future(node.operation, future)
            future.cancel()


def is_failure(report: Report | None) -> bool:
    """Say whether a target has ended without a value."""
    return report is not None and report.status in (Status.FAILED, Status.SKIPPED)
