"""The parts that one run shares: its configuration, state, tracker, session and listeners."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from voxk8s.errors import SchedulerLost, WorkerLost
from voxk8s.execution import events as event_types
from voxk8s.execution.events import Event, Listener, Progress
from voxk8s.execution.executors.protocol import Message, Session
from voxk8s.execution.operation_reports import Report
from voxk8s.execution.run.goal_outcomes import GoalOutcomes, Recompute, ResultVanished
from voxk8s.execution.run.run_costs import RunCosts
from voxk8s.execution.run.run_state import RunState, is_failure
from voxk8s.execution.run.run_tracker import RunTracker
from voxk8s.execution.run.task_queue import QueuedTask
from voxk8s.execution.run_config import CacheMode, OnFailure, RunConfig
from voxk8s.execution.source_locations import SourceLocations
from voxk8s.plan import ResultKey
from voxk8s.storage import Counts
from voxk8s.values import Value

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.1
"""The least time between two ProgressChanged events that are not forced."""


class EventDispatcher:
    """Calls listeners in their order; a listener that raises does not stop the run."""

    def __init__(
        self, listeners: Sequence[Listener], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._listeners = listeners
        self._clock = clock
        self._next_progress = 0.0

    def dispatch(self, event: Event) -> None:
        """Call every listener with an event."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener raised an exception; the run continues")

    def dispatch_progress(self, count: Callable[[], Progress], *, force: bool = False) -> None:
        """Dispatch the counts, unless that was done less than PROGRESS_SECONDS ago."""
        now = self._clock()
        if force or now >= self._next_progress:
            self._next_progress = now + PROGRESS_SECONDS
            self.dispatch(event_types.ProgressChanged(count()))


class RunContext:
    """One run in progress; everything except `send` belongs to the thread that executes it."""

    def __init__(
        self,
        name: str,
        config: RunConfig,
        state: RunState,
        events: EventDispatcher,
        locations: SourceLocations,
        send: Callable[[Message], None],
        recompute: Recompute | None,
    ) -> None:
        """`send` receives the executor's messages; `recompute` is that of `GoalOutcomes`."""
        self.name = name
        self.config = config
        self.state = state
        self.locations = locations
        self.tracker = RunTracker(name, locations)
        is_bypassed = config.cache is CacheMode.BYPASS
        self.costs = RunCosts(None if is_bypassed else config.store)
        self.worker_counts = Counts()
        """What other processes did at the store for this run."""
        self.dispatch = events.dispatch
        self.stopped: str | None = None
        """Why nothing more is submitted; None while the run goes on."""
        self._events = events
        self._send = send
        self._recompute = recompute
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The run's session on its executor, started when the first operation is submitted."""
        if self._session is None:
            self._session = self.config.executor.start(self.name, self._send)
        return self._session

    def stop(self, reason: str) -> None:
        """Submit nothing more; the first reason is kept."""
        if self.stopped is None:
            self.stopped = reason
            if self._session is not None:
                self._session.cancel()

    def apply_reports(self, run: str, reports: Iterable[Report]) -> None:
        """Update tracker and costs with reports and dispatch the events that follow from them."""
        reports = tuple(reports)
        if run == self.name:
            self.costs.record(self.state.graph.nodes, reports)
        for event in self.tracker.apply(run, reports):
            self.dispatch(event)
            if isinstance(event, event_types.OperationFailed):
                self.stop_if_fail_fast(event.failure.kernel)

    def stop_if_fail_fast(self, kernel: str) -> None:
        """Stop after a failure of a kernel if the run is configured so."""
        if self.config.on_failure is OnFailure.FAIL_FAST:
            self.stop(f"not finished: stopped after {kernel} had failed")

    def settle(self, key: ResultKey, report: Report | None) -> None:
        """Record the end of a target; `report` is None when the store holds its result."""
        state = self.state
        if key in state.settled:
            return
        state.settled[key] = report
        if not is_failure(report) and state.is_pivot(key):
            state.stale = True
        for goal in state.goals_of(key):
            if report is not None and is_failure(report):
                self.dispatch(event_types.GoalFailed(goal, self.tracker.failure(report)))
            else:
                self.dispatch(event_types.GoalReached(goal, key))

    def fetch(self, key: ResultKey) -> Value:
        """Return the value of a target whose task is still held by the executor.

        Raises ResultVanished if its worker is gone: it is to be computed again.
        """
        task = self.state.queue.producer(key)
        if task is None:
            raise KeyError(key)
        try:
            value = self.session.fetch(task.key)
        except WorkerLost as error:
            if self.state.losses.is_unreliable(key):
                raise SchedulerLost(
                    f"the cluster lost a result again and again: {error}"
                ) from error
            raise ResultVanished(f"the result {key} was lost: {error}") from error
        if len(task.group.exports) > 1 and isinstance(value, dict):
            value = value[key]
        return value  # type: ignore[return-value]  # tasks return values

    def result_computed(self, key: ResultKey, stored: bool) -> None:
        """Record that this run has a result, and whether the store has it."""
        losses, lookups = self.state.losses, self.state.lookups
        losses.result_computed(key)
        if stored and lookups is not None and not losses.is_unreliable(key):
            lookups.record(key, known=True)

    def result_vanished(self, key: ResultKey) -> None:
        """Record that the store, or the executor, has lost a result: it is recomputed.

        It counts as unknown until this run has stored it again, although the store may still list
        it.
        """
        state = self.state
        if not state.losses.is_missing(key):
            logger.warning("the result %s has vanished; it is recomputed", key)
        state.losses.result_vanished(key)
        if state.lookups is not None:
            state.lookups.record(key, known=False)
        if (task := state.queue.producer(key)) is not None:
            self.drop(task)
        self.tracker.forget([key])
        state.settled.pop(key, None)
        state.stale = True

    def drop(self, task: QueuedTask) -> None:
        """Give up a task, and those that wait for its value: what they compute is planned again."""
        self._unsettle(self.state.queue.drop(task))

    def drop_all(self) -> None:
        """Give up all tasks; those that are planned in their place are not shared with others."""
        self._unsettle(self.state.queue.drop_all(self.name))

    def _unsettle(self, dropped: Iterable[QueuedTask]) -> None:
        """Forget the ends of targets whose values went with their tasks."""
        state = self.state
        for task in dropped:
            for key in task.targets:
                report = state.settled.get(key)
                if report is not None and self.is_held_only(key, report):
                    self.tracker.forget([key])
                    del state.settled[key]
        state.stale = True

    def is_held_only(self, key: ResultKey, report: Report) -> bool:
        """Whether only the task of a target has its value: neither the store, for sure, nor us."""
        if report.value is not None or is_failure(report):
            return False
        return not report.stored or self.state.losses.is_unreliable(key)

    def goal_outcomes(self) -> GoalOutcomes:
        """Create what collects the outcomes of this run's goals."""
        losses = self.state.losses
        return GoalOutcomes(
            self.config,
            self.fetch,
            self._recompute,
            lambda key: not losses.is_unreliable(key),
        )

    def progress(self, *, force: bool = False) -> None:
        """Dispatch the counts, not too often unless forced."""
        self._events.dispatch_progress(self._count, force=force)

    def _count(self) -> Progress:
        parallelism = 0 if self._session is None else self._session.parallelism
        progress = self.tracker.progress(parallelism)
        left = self.costs.seconds_left(parallelism) if self.tracker.all_planned else None
        return replace(progress, seconds_left=left)

    def close(self) -> None:
        """Release the run's futures and its session."""
        self.state.drop_futures()
        if self._session is not None:
            if self.state.queue.unfinished and self.stopped is None:
                self._session.cancel()
            self._session.close()
