"""How long a run has been active."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import START, later
from voxk8s.api.run_time import active_time, duration_text


def test_active_time_ends_with_the_run() -> None:
    """It grows while the run lasts, not while it is suspended, and not after the end."""
    plan = build.workplan(start_time=START, suspended_seconds=5.0)
    assert active_time(plan, later(65)) == timedelta(seconds=60)
    paused = build.workplan({"suspend": True}, start_time=START, suspend_time=later(10))
    assert active_time(paused, later(65)) == timedelta(seconds=10)
    ended = build.workplan(start_time=START, completion_time=later(30))
    assert active_time(ended, later(65)) == timedelta(seconds=30)
    assert active_time(build.workplan(), later(65)) == timedelta(0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0s"), (59, "59s"), (75, "1m15s"), (3700, "1h01m")]
)
def test_duration_text(seconds: float, text: str) -> None:
    """A duration has its two largest units."""
    assert duration_text(timedelta(seconds=seconds)) == text
