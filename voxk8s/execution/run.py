"""One run of a plan: resolves, submits, listens, and ends with a result."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from voxk8s.errors import SchedulerLost, StoreError
from voxk8s.execution import process
from voxk8s.execution.config import CacheMode, Config, OnFailure
from voxk8s.execution.delivery import Delivery, ResultGone, input_name
from voxk8s.execution.events import (
    GoalFailed,
    GoalReached,
    Listener,
    OperationFailed,
    PlanResolved,
    Progress,
    ProgressChanged,
    RunFinished,
    RunStarted,
    WorkerRecovered,
)
from voxk8s.execution.executors import Done, Lost, Message, Reports, Session, Stopped
from voxk8s.execution.ledger import Ledger
from voxk8s.execution.outcome import Report
from voxk8s.execution.places import Places
from voxk8s.execution.planning import plan_units
from voxk8s.execution.preparation import context_for, grow, lookup, pin_for, store_token
from voxk8s.execution.result import ExecutionResult
from voxk8s.execution.retry import is_transient
from voxk8s.execution.state import RunState, is_failure
from voxk8s.execution.telling import Teller
from voxk8s.execution.units import TaskKey
from voxk8s.kernels import registry
from voxk8s.plan import (
    Goal,
    KeyOperation,
    OperationId,
    ResultKey,
    WorkPlan,
    key_graph,
    resolve,
)
from voxk8s.values import Value

logger = logging.getLogger(__name__)

LOSSES = 1
"""How often a task is started again after the processes that ran it were lost for good."""
DISAPPEARANCES = 3
"""How often a result is computed again since it was not where it should have been."""
TICK_SECONDS = 0.5
"""How often a waiting run looks whether its executor is still there."""
CANCELLED = "the run was cancelled"

_sharing = threading.RLock()
"""Held while a run looks at the store and submits, and while one gives its tasks back: between the
two another run of this process finds either the task or its stored result."""


class Run:
    """Runs a plan once; `cancel` may be called from any thread."""

    def __init__(
        self,
        name: str,
        plan: WorkPlan,
        config: Config,
        listeners: Sequence[Listener],
        *,
        remakes: bool = True,
        places: Mapping[OperationId, object] | None = None,
    ) -> None:
        """`remakes`: values that are gone from the store when they are read are computed again.

        `places` are those of the plan's operations in a program.
        """
        self.name = name
        self._remakes = remakes
        self._config = config
        self._plan = plan
        self._tell = Teller(listeners)
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._places = Places(places)
        self._ledger = Ledger(name, self._places)
        self._session: Session | None = None
        self._cancelled = threading.Event()
        self._stopping: str | None = None
        self._refused: set[OperationId] = set()

    def cancel(self) -> None:
        """Stop: what runs may end, nothing more is started."""
        self._cancelled.set()
        self._queue.put(None)

    def execute(self) -> ExecutionResult:
        """Run the plan to its end; raises transient errors of the store and of the executor."""
        begin = time.perf_counter()
        self._tell(RunStarted(self.name, len(self._plan.goals), time.time()))
        state = RunState(key_graph(self._plan, registry()))
        if self._config.executor.is_local:
            process.share_store(store_token(self._config), self._config.store)
            process.share_inputs(self.name, self._config.inputs)
        try:
            if self._cancelled.is_set():
                self._stopping = CANCELLED
            else:
                self._advance(state)
            while True:
                while state.waiting and self._stopping is None:
                    self._listen(state)
                    if state.stale and self._stopping is None:
                        self._advance(state)
                delivery = self._delivery(state)
                outcomes = delivery.outcomes(
                    state.graph, state.settled, state.errors, self._ledger, self._stopping
                )
                if self._stopping is not None or not self._revive(state, delivery.gone):
                    break
                self._advance(state)
            state.fulfil(outcomes)
        finally:
            self._close(state)
        progress = self._ledger.progress()
        result = ExecutionResult(
            outcomes,
            self._ledger.failures()
            + tuple(Delivery.input_failures(state.graph, state.errors, self._ledger)),
            progress,
            self._ledger.metrics(),
            time.perf_counter() - begin,
            self._ledger.nondeterministic(),
            self._stopping == CANCELLED,
        )
        self._tell(ProgressChanged(progress))
        self._tell(RunFinished(self.name, result.success, result.execution_time, progress))
        return result

    # --- what is to be done -------------------------------------------------------------------

    def _advance(self, state: RunState) -> None:
        """Give keys to what can have one, ask the store, and submit what nobody computes yet."""
        while True:
            state.stale = False
            begin = time.perf_counter()
            grow(state, lambda refs: pin_for(self.name, self._config, self._open, refs))
            self._places.graph = state.graph
            self._refuse(state)
            with _sharing:
                self._resolve(state, begin)
            self._tell.progress(self._count, force=True)
            pivots = state.waiting_pivots()
            if not pivots:
                return
            for key in pivots:
                try:
                    state.pivots[key] = self._delivery(state).pivot(key, state.settled[key])
                except ResultGone:
                    if not self._revive(state, [key]):
                        raise

    def _resolve(self, state: RunState, begin: float) -> None:
        asked = time.time()
        resolution = resolve(state.graph, lookup(self._config, self._ledger, state.graph))
        refused = [name for name in state.graph.unkeyed if name in state.errors]
        self._ledger.resolved(state.graph.nodes, resolution, len(state.graph.pending), len(refused))
        self._tell(
            PlanResolved(
                resolution.total,
                resolution.cached,
                len(resolution.compute),
                resolution.width,
                time.perf_counter() - begin,
            )
        )
        if resolution.compute and self._stopping is None:
            self._submit(state, resolution.known, resolution.compute, asked)
        under_way = state.under_way()
        for key in state.targets():
            known = key in resolution.known and key not in under_way
            if known or not isinstance(state.graph.nodes[key], KeyOperation):
                self._settle(state, key, None)

    def _submit(
        self,
        state: RunState,
        known: Collection[ResultKey],
        compute: Sequence[ResultKey],
        asked: float,
    ) -> None:
        wanted = [key for key in state.targets() if key not in known and key not in state.settled]
        targets = self._unblocked(state, wanted, compute)
        # What another run has computed is what this one wants to find out for itself.
        salt = self._open().salt if self._config.cache is CacheMode.USE else self.name
        units, watched = plan_units(
            state.graph, compute, known, targets, self._ledger.failed_keys, salt
        )
        fresh = {task: keys for task, keys in watched.items() if task not in state.waiting}
        if not fresh:
            return
        session = self._open()
        state.units |= units
        state.watched |= fresh
        state.waiting |= fresh.keys()
        for task in fresh:
            state.announce(task)
        logger.info("%d tasks for %d operations", len(units), len(compute))
        session.submit(units, context_for(self.name, self._config, asked), fresh.keys())

    def _unblocked(
        self, state: RunState, targets: Iterable[ResultKey], compute: Sequence[ResultKey]
    ) -> list[ResultKey]:
        """Settle targets above operations that have failed; give the others."""
        origins: dict[ResultKey, ResultKey] = {key: key for key in self._ledger.failed_keys}
        if origins:
            for key in compute:
                for argument in state.graph.nodes[key].arguments:
                    if argument in origins:
                        origins.setdefault(key, origins[argument])
        free: list[ResultKey] = []
        for key in targets:
            failure = self._ledger.failed(origins[key]) if key in origins else None
            if failure is None:
                free.append(key)
            else:
                self._settle(state, key, failure)
        return free

    def _open(self) -> Session:
        if self._session is None:
            self._session = self._config.executor.start(self.name, self._queue.put)
        return self._session

    # --- what comes back ----------------------------------------------------------------------

    def _listen(self, state: RunState) -> None:
        """Wait for a message and take it, with all others that are there."""
        try:
            messages = [self._queue.get(timeout=TICK_SECONDS)]
        except queue.Empty:
            messages = []
            reason = self._open().check()
            if reason is not None:
                messages.append(Stopped(reason))
        while not self._queue.empty():
            messages.append(self._queue.get())
        for message in messages:
            self._take(state, message)
        self._tell.progress(self._count)

    def _take(self, state: RunState, message: Message | None) -> None:
        match message:
            case Reports(run, reports):
                self._note(run, reports)
            case Done(task):
                if task in state.waiting:
                    self._done(state, task)
            case Lost(task):
                if task in state.waiting:
                    self._lost(state, message)
            case Stopped(reason):
                raise SchedulerLost(f"{reason}; what was stored is kept, run again")
            case None:
                self._stop(CANCELLED)

    def _note(self, run: str, reports: Iterable[Report]) -> None:
        for event in self._ledger.take(run, reports):
            self._tell(event)
            if isinstance(event, OperationFailed):
                self._mind(event.kernel)

    def _mind(self, failed: str) -> None:
        if self._config.on_failure is OnFailure.FAIL_FAST:
            self._stop(f"not finished: stopped after {failed} had failed")

    def _refuse(self, state: RunState) -> None:
        """Tell of inputs that cannot be read; they fail before there is anything to run."""
        for operation in [name for name in state.errors if name not in self._refused]:
            self._refused.add(operation)
            kernel, error = input_name(state.graph.unkeyed[operation]), state.errors[operation]
            self._tell(
                OperationFailed(
                    ResultKey(""),
                    operation,
                    kernel,
                    1,
                    type(error).__name__,
                    str(error),
                    is_transient(error),
                    self._places.of(operation),
                )
            )
            self._mind(kernel)

    def _stop(self, reason: str) -> None:
        if self._stopping is None:
            self._stopping = reason
            if self._session is not None:
                self._session.cancel()

    def _done(self, state: RunState, task: TaskKey) -> None:
        state.waiting.discard(task)
        held = False
        for key in state.watched[task]:
            report = self._ledger.final(key)
            if report is None:
                report = self._inspect(state, task, key)
                if report.origin and ResultKey(report.origin) not in state.gone:
                    # A failure that an earlier run has left behind says nothing of this one.
                    self._again(state, ResultKey(report.origin))
                    continue
                self._note(self.name, [report])
            if report.missing or self._is_missing(report.origin):
                self._again(state, ResultKey(report.origin or key))
                continue
            self._settle(state, key, report)
            # The value is at hand without the task when it is stored, sent along, or none.
            held = held or not (report.stored or report.value is not None or report.origin)
        if not held:
            with _sharing:
                self._open().release([task])

    def _is_missing(self, origin: str) -> bool:
        final = self._ledger.final(ResultKey(origin)) if origin else None
        return final is not None and final.missing

    def _inspect(self, state: RunState, task: TaskKey, key: ResultKey) -> Report:
        """Find out about a target that another run has computed."""
        from voxk8s.execution.task import inspect

        step = next(step for step in state.units[task].steps if step.key == key)
        context = context_for(self.name, self._config, time.time())
        return inspect(step, context, lambda: self._fetch(state, key))

    def _again(self, state: RunState, key: ResultKey) -> None:
        """Compute what was not where it should have been, a bounded number of times."""
        state.gone[key] = state.gone.get(key, 0) + 1
        state.stale = True
        self._ledger.forget([key])
        if state.gone[key] > DISAPPEARANCES:
            self._give_up(key, "RecordGone", "the store keeps losing this result", transient=True)

    def _revive(self, state: RunState, keys: Iterable[ResultKey]) -> bool:
        """Have targets computed that are gone from the store; False when there are none, or enough.

        The store has noticed that they are gone, and will not say again that it holds them.
        """
        again = [key for key in dict.fromkeys(keys) if state.gone.get(key, 0) < DISAPPEARANCES]
        for key in again:
            logger.warning("the result %s was in the store and is gone; it is computed again", key)
            del state.settled[key]
            self._again(state, key)
        return bool(again)

    def _lost(self, state: RunState, lost: Lost) -> None:
        state.waiting.discard(lost.key)
        self._open().release([lost.key])
        known = lost.culprit is not None and lost.culprit in state.units
        blamed = TaskKey(lost.culprit) if lost.culprit is not None and known else lost.key
        state.losses[blamed] = state.losses.get(blamed, 0) + 1
        state.stale = True
        # A task that is not to blame itself has more patience: others may have torn it down.
        if not lost.final and state.losses[blamed] <= (LOSSES if known else 3 * LOSSES):
            text = f"task {blamed[:12]}: {lost.message}; it is tried again"
            logger.warning(text)
            self._tell(WorkerRecovered(text))
            return
        last = ResultKey(state.units[blamed].steps[-1].key)
        self._give_up(last, lost.error, lost.message, transient=not lost.final)

    def _give_up(self, key: ResultKey, error: str, message: str, *, transient: bool) -> None:
        self._note(self.name, [self._ledger.failure(key, error, message, transient)])

    def _settle(self, state: RunState, key: ResultKey, report: Report | None) -> None:
        if key in state.settled:
            return
        state.settled[key] = report
        failed = is_failure(report)
        if not failed and any(deferred.pivot == key for deferred in state.graph.deferred):
            state.stale = True
        for goal in state.goals_of(key):
            if failed:
                self._tell(GoalFailed(goal, report.message if report else ""))
            else:
                self._tell(GoalReached(goal, key))

    # --- values, counts and the end -----------------------------------------------------------

    def _delivery(self, state: RunState) -> Delivery:
        remake = partial(_remake, self._plan, self._config) if self._remakes else None
        return Delivery(self._config, lambda key: self._fetch(state, key), remake)

    def _fetch(self, state: RunState, key: ResultKey) -> Value:
        """Bring the value of a target whose task is still held."""
        task, alone = state.home(key)
        value = self._open().fetch(task)
        if not alone and isinstance(value, dict):
            value = value[key]
        return value  # type: ignore[return-value]  # tasks give values

    def _count(self) -> Progress:
        return self._ledger.progress(0 if self._session is None else self._session.parallelism)

    def _close(self, state: RunState) -> None:
        state.withdraw()
        if self._session is not None:
            if state.waiting and self._stopping is None:
                self._session.cancel()
            with _sharing:
                self._session.close()
        process.detach(self.name)


def _remake(plan: WorkPlan, config: Config, goal: Goal) -> Value:
    """Compute one goal of a plan in a run of its own; raises StoreError when it fails."""
    cache = CacheMode.BYPASS if config.cache is CacheMode.BYPASS else CacheMode.USE
    alone = WorkPlan(plan.nodes, (goal,), plan.imports)
    config = replace(config, cache=cache, output=None)
    outcome = Run(uuid.uuid4().hex, alone, config, (), remakes=False).execute().goals[0]
    if outcome.error is not None:
        raise StoreError(f"{goal.name} was in the store and is gone: {outcome.error}")
    return outcome.load()
