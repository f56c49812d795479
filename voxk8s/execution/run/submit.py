"""Submits a run: expands its graph, looks results up in the store, submits what is missing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from voxk8s.execution.events import OperationFailed, PlanResolved
from voxk8s.execution.run.goal_outcomes import ResultVanished
from voxk8s.execution.run.message_handler import requeue_missing
from voxk8s.execution.run.pin_inputs import PinResult, pin_for_run
from voxk8s.execution.run.run_context import RunContext, submit_lock
from voxk8s.execution.run.run_spec import run_spec
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.run_tracker import RunTracker
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.tasks.planning import plan_tasks
from voxk8s.failure import failure_of
from voxk8s.kernels import registry
from voxk8s.plan import (
    InputRef,
    KeyGraph,
    KeyOperation,
    OperationId,
    Pin,
    Prefetch,
    ResultKey,
    grow,
    resolve,
)

logger = logging.getLogger(__name__)


class Submitter:
    """Submits the operations of one run, again whenever its state has become stale."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._reported: set[OperationId] = set()
        self._outdated: dict[ResultKey, bool] = {}
        """Whether the store holds a result that a refreshing run computes again."""

    def submit_missing(self) -> None:
        """Submit every operation that can have a key, is not stored and is not submitted yet."""
        context, state = self._context, self._context.state
        while True:
            state.stale = False
            begin = time.perf_counter()
            grow_graph(
                state,
                lambda refs: pin_for_run(
                    context.config, refs, context.name, lambda: context.session
                ),
            )
            context.locations.graph = state.graph
            self._report_input_failures()
            with submit_lock:
                self._resolve(begin)
            context.progress(force=True)
            pivots = state.unread_pivots()
            if not pivots:
                return
            for key in pivots:
                try:
                    state.pivots[key] = context.goal_outcomes().pivot_value(key, state.settled[key])
                except ResultVanished:
                    if not requeue_missing(context, [key]):
                        raise

    def _report_input_failures(self) -> None:
        """Dispatch an event for each input that cannot be read, once."""
        context, state = self._context, self._context.state
        for operation, failure in state.input_failures.items():
            if operation not in self._reported:
                self._reported.add(operation)
                context.dispatch(OperationFailed(ResultKey(""), context.tracker.locate(failure)))
                context.stop_if_fail_fast(failure.kernel)

    def _resolve(self, begin: float) -> None:
        context, state = self._context, self._context.state
        asked = time.time()
        resolution = resolve(state.graph, prefetch_for(context.config, context.tracker, state))
        context.tracker.set_resolution(state.graph.nodes, resolution, state.blocked().values())
        context.dispatch(
            PlanResolved(
                resolution.total,
                resolution.cached,
                len(resolution.compute),
                resolution.width,
                time.perf_counter() - begin,
            )
        )
        if resolution.compute and context.stopped is None:
            self._submit(resolution.known, resolution.compute, asked)
        pending_targets = state.pending_targets()
        for key in state.targets():
            known = key in resolution.known and key not in pending_targets
            if known or not isinstance(state.graph.nodes[key], KeyOperation):
                context.settle(key, None)

    def _submit(
        self, known: Collection[ResultKey], compute: Sequence[ResultKey], asked: float
    ) -> None:
        context, state = self._context, self._context.state
        wanted = [key for key in state.targets() if key not in known and key not in state.settled]
        targets = self._settle_blocked(wanted, compute)
        # A run that refreshes or bypasses the store must not use tasks of another run.
        shared = context.config.cache is CacheMode.USE
        salt = context.session.salt if shared else context.name
        tasks, watched = plan_tasks(
            state.graph,
            compute,
            known,
            targets,
            context.tracker.failed,
            salt,
            context.config.scheduling,
            self._to_replace(compute),
        )
        fresh = {task: keys for task, keys in watched.items() if task not in state.pending}
        if not fresh:
            return
        state.tasks |= tasks
        state.watched |= fresh
        state.pending |= fresh.keys()
        for task in fresh:
            state.register_futures(task)
        logger.info("%d tasks for %d operations", len(tasks), len(compute))
        spec = run_spec(context.name, context.config, asked)
        schedule = context.config.scheduling.schedule(tasks, fresh.keys())
        context.session.submit(tasks, spec, fresh.keys(), schedule)

    def _to_replace(self, compute: Sequence[ResultKey]) -> set[ResultKey]:
        """Return the results in the store that a refreshing run replaces, worth storing or not.

        A later plan would be served an old value that was left behind. Each key is looked up once.
        """
        if self._context.config.cache is not CacheMode.REFRESH:
            return set()
        new = [key for key in compute if key not in self._outdated]
        held = self._context.config.store.contains(new)
        self._outdated.update((key, key in held) for key in new)
        return {key for key in compute if self._outdated[key]}

    def _settle_blocked(
        self, targets: Iterable[ResultKey], compute: Sequence[ResultKey]
    ) -> list[ResultKey]:
        """Settle targets that depend on a failed operation; return the others."""
        context, state = self._context, self._context.state
        origins: dict[ResultKey, ResultKey] = {key: key for key in context.tracker.failed}
        if origins:
            for key in compute:
                for argument in state.graph.nodes[key].arguments:
                    if argument in origins:
                        origins.setdefault(key, origins[argument])
        free: list[ResultKey] = []
        for key in targets:
            if key in origins:
                context.settle(key, context.tracker.failed[origins[key]])
            else:
                free.append(key)
        return free


def grow_graph(state: RunState, pin_inputs: Callable[[Sequence[InputRef]], PinResult]) -> None:
    """Expand the graph of a run by the pins of its inputs and by the values of its pivots.

    The failures of inputs that cannot be pinned are kept in the state; they are not retried.
    """

    def pin_new(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        new = [ref for ref in refs if ref.id not in state.input_failures]
        pinned = pin_inputs(new) if new else PinResult()
        state.input_failures |= {
            ref.id: failure_of(
                pinned.errors[ref.id], kernel=ref.operator or ref.role.value, operation=ref.id
            )
            for ref in new
            if ref.id in pinned.errors
        }
        return pinned.pins

    def values_of(_: KeyGraph, pivots: Sequence[ResultKey]) -> Mapping[ResultKey, object]:
        return {pivot: state.pivots[pivot] for pivot in pivots if pivot in state.pivots}

    state.graph = grow(state.graph, pin_new, values_of)


def prefetch_for(config: RunConfig, tracker: RunTracker, state: RunState) -> Prefetch:
    """Return the look-up of known results: in the store, or among those that this run has stored.

    A result that vanished counts as unknown until this run has stored it again, although the store
    may still list it.
    """
    graph = state.graph
    match config.cache:
        case CacheMode.USE:
            lost = state.vanished.keys() - tracker.durable

            def ask(keys: Collection[ResultKey]) -> set[str]:
                return config.store.contains(keys) - lost

            return Prefetch(graph, ask if lost else config.store.contains, registry().is_cheap)
        case CacheMode.REFRESH:
            return Prefetch(graph, tracker.durable.intersection)
        case CacheMode.BYPASS:
            return Prefetch(graph, lambda _: ())
