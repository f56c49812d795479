"""One run of a plan: pins, resolves, submits, listens, and ends with a result."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from voxk8s.errors import SchedulerLost
from voxk8s.execution import process
from voxk8s.execution.config import CacheMode, Config, OnFailure
from voxk8s.execution.delivery import Delivery
from voxk8s.execution.events import (
    Event,
    GoalFailed,
    GoalReached,
    Listener,
    OperationFailed,
    PlanResolved,
    ProgressChanged,
    RunFinished,
    RunStarted,
    WorkerRecovered,
)
from voxk8s.execution.executors import Done, Lost, Message, Reports, Session, Stopped
from voxk8s.execution.futures import drop_operation_future, set_operation_future
from voxk8s.execution.ledger import Ledger
from voxk8s.execution.lookup import Lookup
from voxk8s.execution.outcome import Report, Status
from voxk8s.execution.pinning import Pinned, digest_here, digest_task, pin
from voxk8s.execution.planning import plan_units
from voxk8s.execution.process import Context
from voxk8s.execution.result import ExecutionResult, GoalOutcome
from voxk8s.execution.units import TaskKey, Unit
from voxk8s.plan import (
    InputRef,
    KeyGraph,
    KeyOperation,
    OperationId,
    ResultKey,
    WorkPlan,
    expand,
    key_graph,
    resolve,
)
from voxk8s.values import Value

logger = logging.getLogger(__name__)

LOSSES = 1
"""How often a task is started again after the processes that ran it were lost for good."""
TICK_SECONDS = 0.5
"""How often a waiting run looks whether its executor is still there."""
PROGRESS_SECONDS = 0.1
"""Counts are told at most this often."""

_sharing = threading.RLock()
"""Held while a run looks at the store and submits, and while one gives its tasks back: between the
two another run of this process finds either the task or its stored result."""


class Cancelled(Exception):
    """The run was cancelled."""


@dataclass(slots=True)
class _State:
    """What changes while a run goes on."""

    graph: KeyGraph
    units: dict[TaskKey, Unit] = field(default_factory=dict)
    watched: dict[TaskKey, tuple[ResultKey, ...]] = field(default_factory=dict)
    waiting: set[TaskKey] = field(default_factory=set)
    settled: dict[ResultKey, Report | None] = field(default_factory=dict)
    """Targets that have ended; None for those that the store held from the start."""
    pivots: dict[ResultKey, Value] = field(default_factory=dict)
    errors: dict[OperationId, BaseException] = field(default_factory=dict)
    losses: dict[TaskKey, int] = field(default_factory=dict)
    gone: dict[ResultKey, int] = field(default_factory=dict)
    futures: dict[ResultKey, Future[Value]] = field(default_factory=dict)
    stale: bool = False
    """Something is to be submitted (again)."""


class Run:
    """Runs a plan once; `cancel` may be called from any thread."""

    def __init__(
        self, name: str, plan: WorkPlan, config: Config, listeners: Sequence[Listener]
    ) -> None:
        self.name = name
        self._config = config
        self._listeners = listeners
        self._plan = plan
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._ledger = Ledger(name)
        self._session: Session | None = None
        self._cancelled = threading.Event()
        self._stopping: str | None = None
        self._told = 0.0
        self._token = (
            f"{config.store.url}#{id(config.store)}"
            if config.executor.is_local
            else (config.store.url)
        )

    def cancel(self) -> None:
        """Stop: what runs may end, nothing more is started."""
        self._cancelled.set()
        self._queue.put(None)

    def execute(self) -> ExecutionResult:
        """Run the plan to its end; raises transient errors of the store and of the executor."""
        from voxk8s.kernels import registry

        begin = time.perf_counter()
        self._tell(RunStarted(self.name, len(self._plan.goals), time.time()))
        state = _State(key_graph(self._plan, registry()))
        if self._config.executor.is_local:
            process.share_store(self._token, self._config.store)
            process.share_inputs(self.name, self._config.inputs)
        try:
            self._advance(state)
            while state.waiting and self._stopping is None:
                self._listen(state)
                if state.stale:
                    self._advance(state)
            outcomes = self._deliver(state)
        finally:
            self._close(state)
        progress = self._ledger.progress()
        result = ExecutionResult(
            outcomes,
            self._ledger.failures() + tuple(Delivery.input_failures(state.graph, state.errors)),
            progress,
            self._ledger.metrics(),
            time.perf_counter() - begin,
            self._ledger.nondeterministic(),
            self._cancelled.is_set(),
        )
        self._tell(ProgressChanged(progress))
        self._tell(RunFinished(self.name, result.success, result.execution_time, progress))
        return result

    # --- what is to be done -------------------------------------------------------------------

    def _advance(self, state: _State) -> None:
        """Give keys to what can have one, ask the store, and submit what nobody computes yet."""
        state.stale = False
        begin = time.perf_counter()
        self._grow(state)
        with _sharing:
            asked = time.time()
            resolution = resolve(state.graph, self._lookup(state.graph))
            refused = [name for name in state.graph.unkeyed if name in state.errors]
            self._ledger.resolved(
                state.graph.nodes, resolution, len(state.graph.pending), len(refused)
            )
            self._tell(
                PlanResolved(
                    resolution.total,
                    resolution.cached,
                    len(resolution.compute),
                    resolution.width,
                    time.perf_counter() - begin,
                )
            )
            if resolution.compute:
                self._submit(state, resolution.known, resolution.compute, asked)
        under_way = {key for task in state.waiting for key in state.watched[task]}
        for key in self._targets(state.graph):
            node = state.graph.nodes[key]
            known = key in resolution.known and key not in under_way
            if known or not isinstance(node, KeyOperation):
                self._settle(state, key, None)
        self._tell_progress(force=True)
        if self._read_known_pivots(state):
            self._advance(state)

    def _grow(self, state: _State) -> None:
        """Pin inputs that have no pin, and write out loops whose sequences are known."""
        while True:
            fresh = [
                ref
                for operation, ref in state.graph.unkeyed.items()
                if operation not in state.errors
            ]
            known = {
                deferred.pivot: state.pivots[deferred.pivot]
                for deferred in state.graph.deferred
                if deferred.pivot in state.pivots
            }
            if not fresh and not known:
                return
            pinned = self._pin(fresh) if fresh else Pinned()
            state.errors.update(pinned.errors)
            if not pinned.pins and not known:
                return
            before = len(state.graph.nodes)
            state.graph = expand(state.graph, known, pinned.pins)
            if len(state.graph.nodes) == before and not pinned.pins:
                return

    def _pin(self, refs: Sequence[InputRef]) -> Pinned:
        config = self._config
        remembers = config.store if config.cache is not CacheMode.BYPASS else None

        def digests(urls: Sequence[str]) -> list[object]:
            if config.executor.is_local or not urls:
                return digest_here(urls, config.inputs, config.retry)
            items = [(self.name, url, config.retry) for url in urls]
            return self._open().map(digest_task, items)

        return pin(refs, config.inputs, remembers, digests, config.retry)

    def _lookup(self, graph: KeyGraph) -> Lookup:
        match self._config.cache:
            case CacheMode.USE:
                return Lookup(graph, self._config.store.contains)
            case CacheMode.REFRESH:
                return Lookup(graph, self._ledger.durable.intersection)
            case CacheMode.BYPASS:
                return Lookup(graph, lambda _: ())

    def _targets(self, graph: KeyGraph) -> list[ResultKey]:
        """Results that are wanted one by one: of goals, and of pivots that hold others up."""
        keys = [goal.key for goal in graph.goals if goal.key is not None]
        keys += [deferred.pivot for deferred in graph.deferred]
        return list(dict.fromkeys(keys))

    def _submit(
        self,
        state: _State,
        known: Collection[ResultKey],
        compute: Sequence[ResultKey],
        asked: float,
    ) -> None:
        targets = [
            key
            for key in self._targets(state.graph)
            if key not in known and key not in state.settled
        ]
        targets = self._block(state, targets, compute)
        # What another run has computed is what this one wants to find out for itself.
        salt = "" if self._config.cache is CacheMode.USE else self.name
        units, watched = plan_units(
            state.graph, compute, known, targets, self._ledger.failed_keys, salt
        )
        watched = {key: wanted for key, wanted in watched.items() if key not in state.waiting}
        if not watched:
            return
        session = self._open()
        self._register(state, [key for wanted in watched.values() for key in wanted])
        state.units |= units
        state.watched |= watched
        state.waiting |= watched.keys()
        logger.info("%d tasks for %d operations", len(units), len(compute))
        session.submit(units, self._context(asked), watched.keys())

    def _block(
        self, state: _State, targets: Iterable[ResultKey], compute: Sequence[ResultKey]
    ) -> list[ResultKey]:
        """Settle targets above operations that have failed; give the others."""
        if not self._ledger.failed_keys:
            return list(targets)
        blocked: dict[ResultKey, ResultKey] = {key: key for key in self._ledger.failed_keys}
        for key in compute:
            for argument in state.graph.nodes[key].arguments:
                if argument in blocked:
                    blocked.setdefault(key, blocked[argument])
        free: list[ResultKey] = []
        for key in targets:
            origin = blocked.get(key)
            failure = None if origin is None else self._ledger.failed(origin)
            if failure is None:
                free.append(key)
            else:
                self._settle(state, key, failure)
        return free

    def _context(self, asked: float) -> Context:
        config = self._config
        return Context(
            run=self.name,
            token=self._token,
            store=None if config.executor.is_local else config.store,
            reads=config.cache is CacheMode.USE,
            writes=config.cache is not CacheMode.BYPASS,
            replaces=config.cache is CacheMode.REFRESH,
            policy=config.policy,
            retry=config.retry,
            resolved=asked,
            run_folder=config.run_folder if config.cache is CacheMode.BYPASS else None,
        )

    def _open(self) -> Session:
        if self._session is None:
            self._session = self._config.executor.start(self.name, self._queue.put)
        return self._session

    # --- what comes back ----------------------------------------------------------------------

    def _listen(self, state: _State) -> None:
        """Wait for a message and take it, with all others that are there."""
        try:
            messages = [self._queue.get(timeout=TICK_SECONDS)]
        except queue.Empty:
            messages = []
            reason = self._session.check() if self._session is not None else None
            if reason is not None:
                messages.append(Stopped(reason))
        while not self._queue.empty():
            messages.append(self._queue.get())
        for message in messages:
            self._take(state, message)
        self._tell_progress()

    def _take(self, state: _State, message: Message | None) -> None:
        match message:
            case Reports(run, reports):
                for event in self._ledger.take(run, reports):
                    self._tell(event)
                    if isinstance(event, OperationFailed):
                        self._failed(event)
            case Done(key):
                if key in state.waiting:
                    self._done(state, key)
            case Lost(key):
                if key in state.waiting:
                    self._lost(state, message)
            case Stopped(reason):
                raise SchedulerLost(f"{reason}; what was stored is kept, run again")
            case None:
                if self._session is not None:
                    self._session.cancel()
                self._stopping = "the run was cancelled"

    def _failed(self, event: OperationFailed) -> None:
        if self._config.on_failure is OnFailure.FAIL_FAST and self._stopping is None:
            self._stopping = f"not finished: stopped after {event.kernel} had failed"
            if self._session is not None:
                self._session.cancel()

    def _done(self, state: _State, task: TaskKey) -> None:
        state.waiting.discard(task)
        holds = False
        for key in state.watched[task]:
            report = self._ledger.final(key)
            if report is None:
                report = self._ask(state, task, key)
                if report.origin and ResultKey(report.origin) not in state.gone:
                    # A failure that an earlier run has left behind says nothing of this one.
                    self._again(state, ResultKey(report.origin))
                    continue
                for event in self._ledger.take(self.name, [report]):
                    self._tell(event)
            if report.missing or (report.origin and self._is_gone(report)):
                self._again(state, ResultKey(report.origin or key))
                continue
            self._settle(state, key, report)
            holds = holds or not self._is_delivered(report)
        if not holds and self._session is not None:
            with _sharing:
                self._session.release([task])

    def _is_gone(self, report: Report) -> bool:
        origin = self._ledger.final(ResultKey(report.origin))
        return origin is not None and origin.missing

    def _is_delivered(self, report: Report) -> bool:
        """Say whether a target's value is at hand without its task."""
        return bool(report.stored) or report.value is not None or bool(report.origin)

    def _ask(self, state: _State, task: TaskKey, key: ResultKey) -> Report:
        """Find out about a target whose report went to nobody or to another client."""
        from voxk8s.execution.task import inspect

        fetch = self._fetch_from(state)
        step = next(step for step in state.units[task].steps if step.key == key)
        return inspect(step, self._context(time.time()), lambda: fetch(key))

    def _again(self, state: _State, key: ResultKey) -> None:
        """Compute what the store has lost, a bounded number of times."""
        state.gone[key] = state.gone.get(key, 0) + 1
        if state.gone[key] > 3:
            for event in self._ledger.fail(
                key, "RecordGone", "the store keeps losing this result", True
            ):
                self._tell(event)
        self._ledger.forget([key])
        state.stale = True

    def _lost(self, state: _State, lost: Lost) -> None:
        state.waiting.discard(lost.key)
        if self._session is not None:
            self._session.release([lost.key])
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
        for event in self._ledger.fail(last, lost.error, lost.message, not lost.final):
            self._tell(event)
            if isinstance(event, OperationFailed):
                self._failed(event)

    def _read_known_pivots(self, state: _State) -> bool:
        """Bring the values of pivots that are there; say whether the graph can grow by them."""
        grown = False
        for deferred in state.graph.deferred:
            key = deferred.pivot
            if key in state.pivots or key not in state.settled:
                continue
            report = state.settled[key]
            if report is not None and report.status in (Status.FAILED, Status.SKIPPED):
                continue
            state.pivots[key] = self._value(state, key, report)
            grown = True
        return grown

    def _value(self, state: _State, key: ResultKey, report: Report | None) -> Value:
        """Give the value of a settled target, from wherever it is."""
        return Delivery(self._config, self._fetch_from(state)).value(key, report)

    def _fetch_from(self, state: _State):  # type: ignore[no-untyped-def]
        homes = {key: task for task, keys in state.watched.items() for key in keys}

        def fetch(key: ResultKey) -> Value:
            value = self._open().fetch(homes[key])
            if isinstance(value, dict) and len(state.units[homes[key]].exports) > 1:
                return value[key]  # type: ignore[no-any-return]
            return value  # type: ignore[return-value]

        return fetch

    def _settle(self, state: _State, key: ResultKey, report: Report | None) -> None:
        if key in state.settled:
            return
        state.settled[key] = report
        failed = report is not None and report.status in (Status.FAILED, Status.SKIPPED)
        if any(deferred.pivot == key for deferred in state.graph.deferred) and not failed:
            state.stale = True
        for goal in state.graph.goals:
            if goal.key == key:
                if failed:
                    self._tell(GoalFailed(goal.goal, report.message if report else ""))
                else:
                    self._tell(GoalReached(goal.goal, key))

    # --- the end ------------------------------------------------------------------------------

    def _deliver(self, state: _State) -> tuple[GoalOutcome, ...]:
        delivery = Delivery(self._config, self._fetch_from(state))
        outcomes = delivery.outcomes(
            state.graph, state.settled, state.errors, self._ledger, self._stopping
        )
        for outcome in outcomes:
            future = state.futures.get(outcome.key) if outcome.key else None
            if future is not None and not future.done():
                if outcome.error is None:
                    future.set_result(outcome.value)
                else:
                    future.set_exception(RuntimeError(outcome.error))
        return outcomes

    def _register(self, state: _State, keys: Iterable[ResultKey]) -> None:
        for key in keys:
            node = state.graph.nodes[key]
            if isinstance(node, KeyOperation) and key not in state.futures:
                future: Future[Value] = Future()
                if set_operation_future(node.operation, future):
                    state.futures[key] = future

    def _close(self, state: _State) -> None:
        for key, future in state.futures.items():
            node = state.graph.nodes[key]
            if isinstance(node, KeyOperation):
                drop_operation_future(node.operation, future)
            future.cancel()
        if self._session is not None:
            if state.waiting and not self._cancelled.is_set():
                self._session.cancel()
            with _sharing:
                self._session.close()
        process.detach(self.name)

    def _tell_progress(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if force or now - self._told >= PROGRESS_SECONDS:
            self._told = now
            parallelism = self._session.parallelism if self._session is not None else 0
            self._tell(ProgressChanged(self._ledger.progress(parallelism)))

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener failed; the run goes on")
