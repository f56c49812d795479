"""Dispatching events to listeners."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.events import Event, Progress, ProgressChanged, RunStarted
from voxk8s.execution.run.run_context import PROGRESS_SECONDS, EventDispatcher

STARTED = RunStarted("run", 1, 0.0)


def test_a_listener_that_raises_does_not_stop_the_others() -> None:
    """Listeners are called in their order, whatever the ones before did."""
    received: list[Event] = []

    def broken(_: Event) -> None:
        raise ValueError("broken")

    EventDispatcher([broken, received.append]).dispatch(STARTED)
    assert received == [STARTED]


def test_progress_is_not_dispatched_too_often() -> None:
    """Counts that follow too soon are dropped, unless forced."""
    received: list[Event] = []
    now = 0.0
    events = EventDispatcher([received.append], clock=lambda: now)
    events.dispatch_progress(lambda: Progress(computed=0))
    events.dispatch_progress(lambda: Progress(computed=1))
    events.dispatch_progress(lambda: Progress(computed=3), force=True)
    now += PROGRESS_SECONDS
    events.dispatch_progress(lambda: Progress(computed=4))
    assert received == [ProgressChanged(Progress(computed=n)) for n in (0, 3, 4)]


@pytest.mark.parametrize("is_deferred", [True, False])
def test_no_time_is_left_to_tell_while_a_loop_waits_for_its_sequence(is_deferred: bool) -> None:
    """What the loop will add is not known before; without such a loop hints are a basis."""
    make = PlanMaker()
    total = make("addition", 1.0, 1.0)
    make.show("goal", make.loop(make("range", total), "sequence") if is_deferred else total)
    received: list[Progress] = []

    def listen(event: Event) -> None:
        if isinstance(event, ProgressChanged):
            received.append(event.progress)

    engine = ExecutionEngine(fresh_store(), executor="synchronous", listeners=[listen])
    assert engine.execute_workplan(make.plan()).success
    first = received[0]
    assert (first.computed, first.seconds_left is None) == (0, is_deferred)
