"""Dispatching events to listeners."""

from __future__ import annotations

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
