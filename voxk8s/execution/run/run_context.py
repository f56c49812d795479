"""What the parts of one run share: its configuration, state, session, ledger and listeners."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from voxk8s.execution.config import Config, OnFailure
from voxk8s.execution.events import GoalFailed, GoalReached, OperationFailed, Progress
from voxk8s.execution.executors import Message, Session
from voxk8s.execution.outcome import Report
from voxk8s.execution.run.goal_outcomes import Delivery, Remake
from voxk8s.execution.run.run_state import RunState, is_failure
from voxk8s.execution.run.run_tracker import Ledger
from voxk8s.execution.run.telling import Teller
from voxk8s.execution.source_locations import Places
from voxk8s.plan import ResultKey
from voxk8s.values import Value

sharing = threading.RLock()
"""Held while a run looks at the store and submits, and while one gives its tasks back: between the
two another run of this process finds either the task or its stored result."""


class Course:
    """One run as it goes on. All but `send` belongs to the thread that runs it."""

    def __init__(
        self,
        name: str,
        config: Config,
        state: RunState,
        tell: Teller,
        places: Places,
        send: Callable[[Message], None],
        remake: Remake | None,
    ) -> None:
        """`send` takes the executor's messages; `remake` is the one of `Delivery`."""
        self.name = name
        self.config = config
        self.state = state
        self.places = places
        self.ledger = Ledger(name, places)
        self.tell = tell
        self.stopped: str | None = None
        """Why nothing more is started."""
        self._send = send
        self._remake = remake
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The run's session on its executor, begun when something is to be computed."""
        if self._session is None:
            self._session = self.config.executor.start(self.name, self._send)
        return self._session

    def stop(self, reason: str) -> None:
        """Start nothing more; the first reason stays."""
        if self.stopped is None:
            self.stopped = reason
            if self._session is not None:
                self._session.cancel()

    def note(self, run: str, reports: Iterable[Report]) -> None:
        """Learn from reports and tell of them."""
        for event in self.ledger.take(run, reports):
            self.tell(event)
            if isinstance(event, OperationFailed):
                self.mind(event.failure.kernel)

    def mind(self, failed: str) -> None:
        """Stop after a failure if that is wanted."""
        if self.config.on_failure is OnFailure.FAIL_FAST:
            self.stop(f"not finished: stopped after {failed} had failed")

    def settle(self, key: ResultKey, report: Report | None) -> None:
        """Take it that a target has ended; `report` is None when the store held it."""
        state = self.state
        if key in state.settled:
            return
        state.settled[key] = report
        if not is_failure(report) and any(each.pivot == key for each in state.graph.deferred):
            state.stale = True
        for goal in state.goals_of(key):
            if report is not None and is_failure(report):
                self.tell(GoalFailed(goal, self.ledger.failure(report)))
            else:
                self.tell(GoalReached(goal, key))

    def fetch(self, key: ResultKey) -> Value:
        """Bring the value of a target whose task is still held."""
        task, alone = self.state.home(key)
        value = self.session.fetch(task)
        if not alone and isinstance(value, dict):
            value = value[key]
        return value  # type: ignore[return-value]  # tasks give values

    def delivery(self) -> Delivery:
        """Make what hands out the values of this run."""
        return Delivery(self.config, self.fetch, self._remake)

    def progress(self, *, force: bool = False) -> None:
        """Tell the counts, if it is time to or in any case."""
        self.tell.progress(self._count, force=force)

    def _count(self) -> Progress:
        return self.ledger.progress(0 if self._session is None else self._session.parallelism)

    def close(self) -> None:
        """Let go of what the run holds elsewhere."""
        self.state.withdraw()
        if self._session is not None:
            if self.state.waiting and self.stopped is None:
                self._session.cancel()
            with sharing:
                self._session.close()
