"""One run of a plan: submits its operations, handles messages, returns the result."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace

from voxk8s.errors import SchedulerLost, StoreError
from voxk8s.execution.events import Listener, ProgressChanged, RunFinished, RunStarted
from voxk8s.execution.executors.protocol import ExecutorStopped, Message, Reports, RunCancelled
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.quiet_watch import QuietWatch
from voxk8s.execution.result import ExecutionResult, GoalOutcome, SkippedItem
from voxk8s.execution.run.driver_counts import driver_counts
from voxk8s.execution.run.find_failed_items import find_failed_items
from voxk8s.execution.run.message_handler import CANCELLED, MessageHandler
from voxk8s.execution.run.run_context import EventDispatcher, RunContext
from voxk8s.execution.run.run_costs import END_SECONDS
from voxk8s.execution.run.run_spec import store_token
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.run_thread import call_in_thread
from voxk8s.execution.run.submit import Submitter
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.source_locations import SourceLocations
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.lease_renewer import RELEASE_SECONDS, lease_renewer
from voxk8s.kernels import registry
from voxk8s.plan import KeyGraph, KeyNode, OperationId, ResultKey, WorkPlan, key_graph, result_graph
from voxk8s.storage import Counts
from voxk8s.storage.result_store import FLUSH_SECONDS
from voxk8s.values import Value

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5
"""How often a waiting run checks that its executor is still alive."""
PLANNING_SHARE = 0.2
"""The largest part of its time that a run plans while tasks are running.

Loops that become known one after the other are planned in batches: each planning takes time in
proportion to the whole plan.
"""
FAILED_SECONDS = 3.0
"""How long a run that raises an error waits until what it has measured is recorded, and as long
until what it has used is."""
MIN_PLANNING_PAUSE = 0.05
"""Seconds between two plannings: all tasks that a worker has lost are planned again at once."""


class PlanRun:
    """Runs a plan once; `cancel` may be called from any thread."""

    def __init__(
        self,
        name: str,
        plan: WorkPlan | KeyGraph,
        config: RunConfig,
        listeners: Sequence[Listener],
        *,
        recomputes: bool = True,
        places: Mapping[OperationId, object] | None = None,
        skipped: Set[OperationId] | None = None,
    ) -> None:
        """`plan` may be a graph that is expanded as far as it is to be.

        `recomputes`: results that vanished from the store when they are read are recomputed.
        `places` are the places of the plan's operations in a program. Loops leave out the items
        whose results have the ids `skipped`; after the run, `failed_items` are those that may be
        skipped too. Without `skipped`, no item may.
        """
        self.name = name
        self._plan = plan
        self._config = config
        self._events = EventDispatcher(listeners)
        self._locations = SourceLocations(places)
        self._recomputes = recomputes
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._skipped = skipped
        self.failed_items: Mapping[OperationId, SkippedItem] = {}

    def cancel(self) -> None:
        """Submit nothing more; operations that are running may end."""
        self._cancelled.set()
        runtime.cancel_run(self.name)
        self._queue.put(None)

    def execute(self) -> ExecutionResult:
        """Run the plan to its end; raises transient errors of the store and of the executor.

        The tasks of the synchronous executor run in the calling thread, all else in another one.
        """
        if isinstance(self._config.executor, SynchronousExecutor):
            return self._execute()
        try:
            return call_in_thread(self._execute, self.cancel)
        except KeyboardInterrupt:
            # The process may end now, and its operations with it: the next run waits for none.
            lease_renewer.release_all(RELEASE_SECONDS, self.name)
            raise

    def _execute(self) -> ExecutionResult:
        with driver_counts(self._config.store) as counts:
            return self._execute_counted(counts)

    def _execute_counted(self, counts: Callable[[], Counts]) -> ExecutionResult:
        begin = time.perf_counter()
        self._events.dispatch(RunStarted(self.name, len(self._plan.goals), time.time()))
        plan = self._plan
        state = RunState(
            plan
            if isinstance(plan, KeyGraph)
            else key_graph(plan, registry(), skipped=self._skipped)
        )
        context = RunContext(
            self.name,
            self._config,
            state,
            self._events,
            self._locations,
            self._queue.put,
            self._recompute if self._recomputes else None,
        )
        if self._config.executor.is_local:
            runtime.register_store(store_token(self._config), self._config.store)
            runtime.register_input_options(self.name, self._config.inputs)
        try:
            try:
                outcomes = self._reach(context)
                state.resolve_futures(outcomes)
            finally:
                context.close()
                runtime.forget_run(self.name)
        except Exception:
            # The next attempt needs what this one has stored, and plans by what it has measured.
            self._flush(context, FAILED_SECONDS, FAILED_SECONDS)
            raise
        tracker = context.tracker
        progress = tracker.progress()
        if self._skipped is not None and context.stopped != CANCELLED:
            self.failed_items = find_failed_items(state, tracker, self._skipped)
        result = ExecutionResult(
            outcomes,
            tracker.failures(),
            progress,
            tracker.metrics(),
            time.perf_counter() - begin,
            tracker.nondeterministic(),
            # Whoever cancels a run that has just reached its last goal is late.
            context.stopped == CANCELLED and not all(each.succeeded for each in outcomes),
            kernels=tracker.kernels(),
            graph=state.graph,
            by_key=tracker.by_key(),
        )
        self._events.dispatch(ProgressChanged(progress))
        self._events.dispatch(
            RunFinished(self.name, result.success, result.execution_time, progress)
        )
        self._flush(context, END_SECONDS, FLUSH_SECONDS)
        return replace(result, store=context.worker_counts + counts())

    def _flush(self, context: RunContext, costs_seconds: float, access_seconds: float) -> None:
        """Wait, but not for longer, until what the run has measured and used is recorded."""
        context.costs.flush(costs_seconds)
        if self._config.cache is not CacheMode.BYPASS:
            self._config.store.flush_access(access_seconds)

    def _recompute(self, nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> Value:
        return recompute(nodes, key, self._config)

    def _reach(self, context: RunContext) -> tuple[GoalOutcome, ...]:
        """Run until every goal is reached or has failed."""
        submitter, handler = Submitter(context), MessageHandler(context)
        if self._cancelled.is_set():
            context.stop(CANCELLED)
        context.state.stale = True
        while True:
            self._work(context, submitter, handler)
            submitter.remove_outdated()
            goal_outcomes = context.goal_outcomes()
            outcomes = goal_outcomes.collect(context.state, context.tracker, context.stopped)
            if context.stopped is not None:
                return outcomes
            if not goal_outcomes.vanished:
                return outcomes
            for key in goal_outcomes.vanished:
                context.result_vanished(key)

    def _work(self, context: RunContext, submitter: Submitter, handler: MessageHandler) -> None:
        """Plan, feed the executor and handle its messages until nothing is left to do."""
        state, next_planning, watch = context.state, 0.0, QuietWatch()
        while context.stopped is None:
            begin = time.monotonic()
            plan_at = max(state.calm_at, next_planning if state.queue.unfinished else 0.0)
            if state.stale and begin >= plan_at:
                try:
                    submitter.plan_missing()
                except RunCancelled:
                    context.stop(CANCELLED)
                    return
                now = time.monotonic()
                next_planning = now + max(MIN_PLANNING_PAUSE, (now - begin) / PLANNING_SHARE)
            submitter.feed()
            if not state.stale and not state.queue.unfinished:
                return
            pause = max(0.0, plan_at - begin) if state.stale else TICK_SECONDS
            messages = self._receive(context, min(pause, TICK_SECONDS))
            if any(not isinstance(each, Reports) or each.run == self.name for each in messages):
                watch.heard()
            elif watch.is_due() and state.queue.started:
                handler.stalled(context.session.stalled(state.queue.started_keys()))
            try:
                handler.handle(messages)
            except SchedulerLost:
                # Whoever cancels a run often deletes its cluster too: what is known is returned.
                if not self._cancelled.is_set():
                    raise
                context.stop(CANCELLED)
            context.progress()

    def _receive(self, context: RunContext, timeout: float) -> list[Message | None]:
        """Return all messages in the queue, after waiting at most `timeout` seconds for one."""
        try:
            messages = [self._queue.get(timeout=timeout)]
        except queue.Empty:
            reason = context.session.check()
            return [] if reason is None else [ExecutorStopped(reason)]
        while not self._queue.empty():
            messages.append(self._queue.get())
        return messages


def recompute(nodes: Mapping[ResultKey, KeyNode], key: ResultKey, config: RunConfig) -> Value:
    """Compute a result that has vanished from the store, in a run of its own.

    `nodes` are those of the plan, in topological order, with the pins of its inputs: one that has
    changed meanwhile is an error, not another value. If the store loses the value once more, it is
    computed without the store. Raises StoreError if it cannot be computed.
    """
    graph = result_graph(nodes, key)
    if config.cache is not CacheMode.BYPASS:
        try:
            return _compute_alone(graph, replace(config, cache=CacheMode.USE, output=None))
        except StoreError as error:
            logger.warning("%s; it is computed without the store", error)
    return _compute_alone(graph, replace(config, cache=CacheMode.BYPASS, output=None))


def _compute_alone(graph: KeyGraph, config: RunConfig) -> Value:
    outcome = PlanRun(uuid.uuid4().hex, graph, config, (), recomputes=False).execute().goals[0]
    if outcome.failure is not None:
        raise StoreError(f"{outcome.goal.name} vanished from the store: {outcome.failure}")
    return outcome.load()
