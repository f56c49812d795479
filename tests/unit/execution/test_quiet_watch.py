"""When a run asks what became of its tasks."""

from __future__ import annotations

from voxk8s.execution.quiet_watch import MAX_QUIET_SECONDS, QUIET_SECONDS, QuietWatch


def test_a_run_asks_after_a_quiet_time_and_then_less_and_less_often() -> None:
    """Each wait is twice as long, up to a bound, until a message comes."""
    now = [0.0]
    watch = QuietWatch(lambda: now[0])
    assert not watch.is_due()
    waits = []
    for _ in range(9):
        begin = now[0]
        while not watch.is_due():
            now[0] += QUIET_SECONDS / 4
        waits.append(now[0] - begin)
    assert waits[:3] == [QUIET_SECONDS, 2 * QUIET_SECONDS, 4 * QUIET_SECONDS]
    assert waits[-1] == MAX_QUIET_SECONDS
    watch.heard()
    now[0] += QUIET_SECONDS - 1
    assert not watch.is_due()
    now[0] += 1
    assert watch.is_due()
