"""The state of a run: its graph, its tasks, and the targets that have ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from voxk8s.execution.futures import LazyFuture, drop_operation_future, set_operation_future
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.run.losses import Losses
from voxk8s.execution.run.task_queue import TaskQueue
from voxk8s.failure import Failure
from voxk8s.plan import Goal, KeyGraph, KeyOperation, OperationId, Prefetch, ResultKey
from voxk8s.values import Value


@dataclass(slots=True)
class RunState:
    """The state of one run; only the thread that executes the run changes it.

    A *target* is a result that the run itself needs: of a goal, or the pivot of a loop.
    """

    graph: KeyGraph
    queue: TaskQueue = field(default_factory=TaskQueue)
    settled: dict[ResultKey, Report | None] = field(default_factory=dict)
    """Targets that have ended; None for those that the store holds."""
    pivots: dict[ResultKey, Value] = field(default_factory=dict)
    """Values of pivots that have been read."""
    input_failures: dict[OperationId, Failure] = field(default_factory=dict)
    """Why inputs cannot be pinned."""
    losses: Losses = field(default_factory=Losses)
    lookups: Prefetch | None = None
    """What the store was asked for; every key is looked up once."""
    futures: dict[ResultKey, LazyFuture] = field(default_factory=dict)
    """Futures that this run has registered for `get_operation_future`."""
    stale: bool = False
    """Whether something has to be planned (again)."""
    began: float = field(default_factory=time.monotonic)
    """When the run began, by the monotonic clock: what was looked up since then is not old."""
    calm_at: float = 0.0
    """When it may be planned, by the monotonic clock."""
    _goals: dict[ResultKey, list[Goal]] = field(default_factory=dict)
    _pivots: set[ResultKey] = field(default_factory=set)
    _indexed: KeyGraph | None = None

    def targets(self) -> list[ResultKey]:
        """Return all targets that have a key, goals first."""
        keys = [goal.key for goal in self.graph.goals if goal.key is not None]
        keys += [deferred.pivot for deferred in self.graph.deferred]
        return list(dict.fromkeys(keys))

    def goals_of(self, key: ResultKey) -> list[Goal]:
        """Return the goals that ask for a result."""
        self._index()
        return self._goals.get(key, [])

    def _index(self) -> None:
        if self._indexed is self.graph:
            return
        self._indexed = self.graph
        self._pivots = {deferred.pivot for deferred in self.graph.deferred}
        self._goals = {}
        for goal in self.graph.goals:
            if goal.key is not None:
                self._goals.setdefault(goal.key, []).append(goal.goal)

    def blocked(self) -> dict[OperationId, Failure]:
        """Return why operations can never have a key: inputs without a pin, invalid arguments."""
        inputs = {
            name: each for name, each in self.input_failures.items() if name in self.graph.unpinned
        }
        rejected = {
            name: Failure(message, operation=name) for name, message in self.graph.rejected.items()
        }
        return inputs | rejected

    def is_pivot(self, key: ResultKey) -> bool:
        """Whether operations have no key before this value is known."""
        self._index()
        return key in self._pivots

    def unread_pivots(self) -> list[ResultKey]:
        """Return pivots that are computed and whose values have not been read, once each."""
        pivots = dict.fromkeys(deferred.pivot for deferred in self.graph.deferred)
        return [
            pivot
            for pivot in pivots
            if pivot not in self.pivots
            and pivot in self.settled
            and not is_failure(self.settled[pivot])
        ]

    def register_futures(self, keys: Iterable[ResultKey]) -> None:
        """Register a future for each of these targets, by its operation id."""
        for key in keys:
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
