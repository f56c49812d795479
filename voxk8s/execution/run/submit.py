"""Plans a run: expands its graph, looks results up in the store, starts tasks for the missing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from voxk8s.execution.events import OperationFailed, PlanResolved
from voxk8s.execution.run.changed_kernels import ChangedKernels
from voxk8s.execution.run.goal_outcomes import ResultVanished
from voxk8s.execution.run.outdated_results import OutdatedResults
from voxk8s.execution.run.pin_inputs import PinResult, pin_for_run
from voxk8s.execution.run.run_context import RunContext
from voxk8s.execution.run.run_spec import run_spec
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.tasks.planning import plan_groups
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


WINDOW: Final = 1_000
"""The executor holds at least this many tasks, if there are as many."""
WINDOW_PER_THREAD: Final = 20
"""And this many for each of its threads: new ones are sent before the last have ended."""
REFILL_FROM: Final = 0.75
"""New tasks are sent, many at once, when the window is filled to less than this part."""


class Submitter:
    """Plans the operations of one run and feeds the executor with their tasks."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._reported: set[OperationId] = set()
        self._changed_kernels = ChangedKernels(
            context.config.store,
            since=context.state.began,
            has_vanished=context.state.losses.has_vanished,
        )
        self._outdated = OutdatedResults(context)
        self._looked_up_at = 0.0
        self._counts: tuple[int, int, int, int] | None = None

    def plan_missing(self) -> None:
        """Plan every operation that can have a key, is not stored and is not planned yet."""
        context, state = self._context, self._context.state
        while context.stopped is None:
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
            self._resolve(begin)
            context.progress(force=True)
            pivots = state.unread_pivots()
            if not pivots:
                return
            for key in pivots:
                try:
                    state.pivots[key] = context.goal_outcomes().pivot_value(key, state.settled[key])
                except ResultVanished:
                    context.result_vanished(key)

    def feed(self) -> None:
        """Release what is not needed any more, and start tasks as far as the window allows."""
        context, queue = self._context, self._context.state.queue
        released = queue.released()
        if released:
            context.session.release(released)
        if context.stopped is not None or not queue.unfinished:
            return
        window = max(WINDOW, WINDOW_PER_THREAD * context.session.parallelism)
        if queue.started > REFILL_FROM * window:
            return
        tasks = queue.take(window)
        if not tasks:
            return
        nodes = context.state.graph.nodes
        ranks = {task.key: task.rank for task in tasks}
        spec = run_spec(context.name, context.config, self._looked_up_at, context.costs.kept_bytes)
        context.session.submit([queue.spec(task, nodes) for task in tasks], spec, ranks)
        # Not before: the values that only these tasks need must not go before they are there.
        context.session.release(queue.released())

    def remove_outdated(self) -> None:
        """Delete results that a refreshing run was to replace and that cannot be computed."""
        self._outdated.remove_failed()

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
        self._looked_up_at = self._looked_up_at or time.time()
        if state.lookups is None:
            state.lookups = lookups_for(context.config, state)
        state.lookups.extend(state.graph)
        resolution = resolve(state.graph, state.lookups)
        context.tracker.set_resolution(state.graph.nodes, resolution, state.blocked().values())
        for event in self._changed_kernels.find(resolution.known, state.graph.nodes):
            context.dispatch(event)
        counts = (resolution.total, resolution.cached, len(resolution.compute), resolution.width)
        if counts != self._counts:
            self._counts = counts
            context.dispatch(PlanResolved(*counts, time.perf_counter() - begin))
        if resolution.compute and context.stopped is None:
            self._plan(resolution.known, resolution.compute)
        for key in state.targets():
            # A task that reads a known result for others does not wait for it as a target.
            producer = state.queue.producer(key)
            is_awaited = producer is not None and key in producer.targets
            if (key in resolution.known and not is_awaited) or not isinstance(
                state.graph.nodes[key], KeyOperation
            ):
                context.settle(key, None)

    def _plan(self, known: Collection[ResultKey], compute: Sequence[ResultKey]) -> None:
        context, state, queue = self._context, self._context.state, self._context.state.queue
        if not queue.salt:
            # A run that refreshes or bypasses the store must not use tasks of another run.
            shared = context.config.cache is CacheMode.USE
            queue.salt = context.session.salt if shared else context.name
        held = frozenset(state.graph.extra_needs)
        queue.hold(held)
        wanted = [key for key in state.targets() if key not in known and key not in state.settled]
        targets = []
        for key in self._settle_blocked(wanted, compute):
            producer = queue.producer(key)
            if producer is None:
                targets.append(key)
            elif key not in producer.targets:
                queue.adopt(key, context.name[:8])
        nodes = state.graph.nodes
        context.costs.prepare(nodes, compute)
        groups, options = plan_groups(
            state.graph,
            compute,
            known,
            targets,
            held=held,
            provided=queue.provided,
            failed=context.tracker.failed,
            policy=context.config.scheduling,
            replaces=self._outdated.among(compute),
            model=context.costs.model,
            parallelism=context.session.parallelism,
            codes=self._changed_kernels.codes(nodes),
        )
        if not groups:
            return
        policy, suspects = context.config.scheduling, state.losses.suspects
        queue.add(groups, nodes, options, policy, suspects)
        context.costs.planned(nodes, groups)
        state.register_futures(targets)
        logger.info("%d tasks for %d operations", len(groups), len(compute))

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


def lookups_for(config: RunConfig, state: RunState) -> Prefetch:
    """Return the look-up of known results, which remembers every answer.

    A run that does not read the store learns only of results that it has stored itself.
    """
    if config.cache is CacheMode.USE:
        return Prefetch(state.graph, config.store.contains, registry().is_cheap)
    return Prefetch(state.graph, lambda _: ())
