"""What is to be done: gives keys to what can have one, asks the store, submits the rest."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Sequence

from voxk8s.execution.config import CacheMode
from voxk8s.execution.events import OperationFailed, PlanResolved
from voxk8s.execution.run.goal_outcomes import ResultGone
from voxk8s.execution.run.look_up import grow_graph, lookup, pin_for, run_spec_for
from voxk8s.execution.run.recovery import revive
from voxk8s.execution.run.run_context import Course, sharing
from voxk8s.execution.tasks.planning import plan_tasks
from voxk8s.plan import KeyOperation, OperationId, ResultKey, resolve

logger = logging.getLogger(__name__)


class Submission:
    """Submits the work of one run, again whenever its state has become stale."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._refused: set[OperationId] = set()

    def advance(self) -> None:
        """Submit what nobody computes yet, until the rest waits for what was submitted."""
        course, state = self._course, self._course.state
        while True:
            state.stale = False
            begin = time.perf_counter()
            grow_graph(
                state,
                lambda refs: pin_for(course.name, course.config, lambda: course.session, refs),
            )
            course.places.graph = state.graph
            self._refuse()
            with sharing:
                self._resolve(begin)
            course.progress(force=True)
            pivots = state.waiting_pivots()
            if not pivots:
                return
            for key in pivots:
                try:
                    state.pivots[key] = course.delivery().pivot(key, state.settled[key])
                except ResultGone:
                    if not revive(course, [key]):
                        raise

    def _refuse(self) -> None:
        """Tell of inputs that cannot be read; they fail before there is anything to run."""
        course, state = self._course, self._course.state
        for operation, failure in state.input_failures.items():
            if operation not in self._refused:
                self._refused.add(operation)
                course.tell(OperationFailed(ResultKey(""), course.ledger.locate(failure)))
                course.mind(failure.kernel)

    def _resolve(self, begin: float) -> None:
        course, state = self._course, self._course.state
        asked = time.time()
        resolution = resolve(state.graph, lookup(course.config, course.ledger, state))
        course.ledger.resolved(state.graph.nodes, resolution, state.blocked().values())
        course.tell(
            PlanResolved(
                resolution.total,
                resolution.cached,
                len(resolution.compute),
                resolution.width,
                time.perf_counter() - begin,
            )
        )
        if resolution.compute and course.stopped is None:
            self._submit(resolution.known, resolution.compute, asked)
        under_way = state.under_way()
        for key in state.targets():
            known = key in resolution.known and key not in under_way
            if known or not isinstance(state.graph.nodes[key], KeyOperation):
                course.settle(key, None)

    def _submit(
        self, known: Collection[ResultKey], compute: Sequence[ResultKey], asked: float
    ) -> None:
        course, state = self._course, self._course.state
        wanted = [key for key in state.targets() if key not in known and key not in state.settled]
        targets = self._unblocked(wanted, compute)
        # What another run has computed is what this one wants to find out for itself.
        shared = course.config.cache is CacheMode.USE
        salt = course.session.salt if shared else course.name
        tasks, watched = plan_tasks(
            state.graph,
            compute,
            known,
            targets,
            course.ledger.failed_keys,
            salt,
            course.config.scheduling,
        )
        fresh = {task: keys for task, keys in watched.items() if task not in state.waiting}
        if not fresh:
            return
        state.tasks |= tasks
        state.watched |= fresh
        state.waiting |= fresh.keys()
        for task in fresh:
            state.announce(task)
        logger.info("%d tasks for %d operations", len(tasks), len(compute))
        context = run_spec_for(course.name, course.config, asked)
        schedule = course.config.scheduling.schedule(tasks, fresh.keys())
        course.session.submit(tasks, context, fresh.keys(), schedule)

    def _unblocked(
        self, targets: Iterable[ResultKey], compute: Sequence[ResultKey]
    ) -> list[ResultKey]:
        """Settle targets above operations that have failed; give the others."""
        course, state = self._course, self._course.state
        origins: dict[ResultKey, ResultKey] = {key: key for key in course.ledger.failed_keys}
        if origins:
            for key in compute:
                for argument in state.graph.nodes[key].arguments:
                    if argument in origins:
                        origins.setdefault(key, origins[argument])
        free: list[ResultKey] = []
        for key in targets:
            failure = course.ledger.failed(origins[key]) if key in origins else None
            if failure is None:
                free.append(key)
            else:
                course.settle(key, failure)
        return free
