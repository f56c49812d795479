"""Events of a run."""

from __future__ import annotations

import pickle
from typing import Any, get_args

import pytest

from voxk8s.execution.events import Event, Progress, RunFinished

KINDS: tuple[Any, ...] = get_args(Event)


def test_operations_that_need_no_work_are_done() -> None:
    """They are computed, cached or below cached ones; failed ones are not done."""
    progress = Progress(total=63, cached=1, computed=2, failed=4, running=8, pending=16, skipped=32)
    assert progress.done == 1 + 2 + 32


def test_a_run_without_operations_has_no_counts() -> None:
    """All counts are 0 by default."""
    assert Progress() == Progress(0, 0, 0, 0, 0, 0, 0)
    assert Progress().done == 0


@pytest.mark.parametrize("kind", KINDS)
def test_listeners_cannot_change_events(kind: Any) -> None:
    """All listeners of a run are called with the same value."""
    event = kind(*[None] * len(kind.__slots__))
    with pytest.raises(AttributeError):
        setattr(event, kind.__slots__[0], "changed")


def test_events_are_values() -> None:
    """Equal events are equal, also after they were sent to another process."""
    event = RunFinished("run", True, 1.5, Progress(total=1, computed=1))
    assert pickle.loads(pickle.dumps(event)) == event
    assert event != RunFinished("run", False, 1.5, Progress(total=1, computed=1))
