"""What the runner tells while a run lasts."""

from __future__ import annotations

from voxk8s.api import OperationCounts, Waiting
from voxk8s.execution.events import Progress, ProgressChanged, RunStarted
from voxk8s.runner.status_reporter import RateLimit, StatusReporter, pause


def test_nothing_is_told_before_there_is_anything() -> None:
    """A run that has not resolved its plan writes nothing."""
    narrator = StatusReporter()
    narrator(RunStarted("r", 1, 0.0))
    assert narrator.part() == {}
    assert narrator.news() == {}


def test_what_the_status_says_stays_until_more_is_known() -> None:
    """A runner that starts neither takes the operator's counts away nor counts less than them."""
    told = OperationCounts(total=12, cached=2, computed=0, failed=0, running=0, pending=10)
    narrator = StatusReporter(before="2/12", told=told)
    assert narrator.news() == {}, "a write would take away what it leaves out"
    narrator.waiting = Waiting(reason="SourceUnavailable", message="no such file")
    assert narrator.news()["operations"]["cached"] == 2
    narrator.waiting = None
    narrator(ProgressChanged(Progress(total=12, pending=12)))
    assert narrator.news() == {}
    narrator(ProgressChanged(Progress(total=12, cached=2, pending=10)))
    assert narrator.news()["operations"]["cached"] == 2
    narrator(ProgressChanged(Progress(total=12, cached=1, computed=4, pending=7)))
    assert narrator.news()["operations"]["cached"] == 1


def test_counts_of_a_store_that_lost_some_are_told_with_the_first_result() -> None:
    """What is computed anew since it is gone is counted as that."""
    told = OperationCounts(total=4, cached=4, computed=0, failed=0, running=0, pending=0)
    narrator = StatusReporter(before="4/4", told=told)
    narrator(ProgressChanged(Progress(total=4, cached=1, computed=1, pending=2)))
    assert narrator.news()["operations"]["cached"] == 1


def test_counts_and_progress() -> None:
    """Counts are those of the engine; progress counts what needs no more work."""
    narrator = StatusReporter()
    progress = Progress(total=10, cached=2, skipped=3, computed=1, running=2, pending=2)
    narrator(ProgressChanged(progress))
    part = narrator.part()
    assert part["progress"] == "6/10"
    assert part["operations"]["cached"] == 2
    assert set(part["operations"]) == {
        "total", "cached", "computed", "failed", "running", "pending",
    }  # fmt: skip


def test_progress_never_goes_down() -> None:
    """A new attempt that has to compute again what was not stored does not undo progress."""
    narrator = StatusReporter(before="7/10")
    narrator(ProgressChanged(Progress(total=10, cached=4)))
    assert narrator.part()["progress"] == "7/10"
    narrator(ProgressChanged(Progress(total=10, cached=4, computed=5)))
    assert narrator.part()["progress"] == "9/10"


def test_waiting_is_told_and_taken_back() -> None:
    """What the run waits for is told while it waits."""
    narrator = StatusReporter()
    narrator.waiting = Waiting(reason="StoreUnreachable", message="away")
    assert narrator.part()["waiting"]["reason"] == "StoreUnreachable"
    narrator.waiting = None
    assert "waiting" not in narrator.part()


def test_pace() -> None:
    """News is welcome at once, then once a second, on long runs once in two."""
    now = [0.0]
    pace = RateLimit(lambda: now[0])
    assert pace.wait() == 0
    pace.wrote()
    assert pace.wait() == 1.0
    now[0] = 0.75
    assert pace.wait() == 0.25
    assert [pause(seconds) for seconds in (0, 59, 61, 9999)] == [1, 1, 2, 2]
