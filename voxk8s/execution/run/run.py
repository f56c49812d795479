"""One run of a plan: submits, listens, and ends with a result."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from voxk8s.errors import StoreError
from voxk8s.execution.config import CacheMode, Config
from voxk8s.execution.events import Listener, ProgressChanged, RunFinished, RunStarted
from voxk8s.execution.executors import Message, Stopped
from voxk8s.execution.result import ExecutionResult, GoalOutcome
from voxk8s.execution.run.look_up import store_token
from voxk8s.execution.run.messages import CANCELLED, Arrival
from voxk8s.execution.run.recovery import revive
from voxk8s.execution.run.run_context import Course
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.submit import Submission
from voxk8s.execution.run.telling import Teller
from voxk8s.execution.source_locations import Places
from voxk8s.execution.worker import runtime
from voxk8s.kernels import registry
from voxk8s.plan import Goal, OperationId, WorkPlan, key_graph
from voxk8s.values import Value

TICK_SECONDS = 0.5
"""How often a waiting run looks whether its executor is still there."""


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
        self._plan = plan
        self._config = config
        self._tell = Teller(listeners)
        self._places = Places(places)
        self._remake = partial(_remake, plan, config) if remakes else None
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop: what runs may end, nothing more is started."""
        self._cancelled.set()
        self._queue.put(None)

    def execute(self) -> ExecutionResult:
        """Run the plan to its end; raises transient errors of the store and of the executor."""
        begin = time.perf_counter()
        self._tell(RunStarted(self.name, len(self._plan.goals), time.time()))
        state = RunState(key_graph(self._plan, registry()))
        course = Course(
            self.name,
            self._config,
            state,
            self._tell,
            self._places,
            self._queue.put,
            self._remake,
        )
        if self._config.executor.is_local:
            runtime.register_store(store_token(self._config), self._config.store)
            runtime.register_input_options(self.name, self._config.inputs)
        try:
            outcomes = self._reach(course)
            state.fulfil(outcomes)
        finally:
            course.close()
            runtime.forget_run(self.name)
        ledger = course.ledger
        progress = ledger.progress()
        result = ExecutionResult(
            outcomes,
            ledger.failures(),
            progress,
            ledger.metrics(),
            time.perf_counter() - begin,
            ledger.nondeterministic(),
            course.stopped == CANCELLED,
        )
        self._tell(ProgressChanged(progress))
        self._tell(RunFinished(self.name, result.success, result.execution_time, progress))
        return result

    def _reach(self, course: Course) -> tuple[GoalOutcome, ...]:
        """Work until all goals are reached or can never be."""
        state = course.state
        submission, arrival = Submission(course), Arrival(course)
        if self._cancelled.is_set():
            course.stop(CANCELLED)
        else:
            submission.advance()
        while True:
            while state.waiting and course.stopped is None:
                arrival.take(self._listen(course))
                course.progress()
                if state.stale and course.stopped is None:
                    submission.advance()
            delivery = course.delivery()
            outcomes = delivery.outcomes(state, course.ledger, course.stopped)
            if course.stopped is not None or not revive(course, delivery.gone):
                return outcomes
            submission.advance()

    def _listen(self, course: Course) -> list[Message | None]:
        """Wait for a message; give it with all others that are there, none after a while."""
        try:
            messages = [self._queue.get(timeout=TICK_SECONDS)]
        except queue.Empty:
            reason = course.session.check()
            messages = [] if reason is None else [Stopped(reason)]
        while not self._queue.empty():
            messages.append(self._queue.get())
        return messages


def _remake(plan: WorkPlan, config: Config, goal: Goal) -> Value:
    """Compute one goal of a plan in a run of its own; raises StoreError when it fails."""
    cache = CacheMode.BYPASS if config.cache is CacheMode.BYPASS else CacheMode.USE
    alone = WorkPlan(plan.nodes, (goal,), plan.imports)
    config = replace(config, cache=cache, output=None)
    outcome = Run(uuid.uuid4().hex, alone, config, (), remakes=False).execute().goals[0]
    if outcome.failure is not None:
        raise StoreError(f"{goal.name} was in the store and is gone: {outcome.failure}")
    return outcome.load()
