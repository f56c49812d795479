"""What the runner tells while a run lasts."""

from __future__ import annotations

from voxk8s.api import Waiting
from voxk8s.execution.events import Progress, ProgressChanged, RunStarted
from voxk8s.runner.progress import Narrator, Pace, pause


def test_nothing_is_told_before_there_is_anything() -> None:
    """A run that has not resolved its plan writes nothing."""
    narrator = Narrator()
    narrator(RunStarted("r", 1, 0.0))
    assert narrator.part() == {}


def test_counts_and_progress() -> None:
    """Counts are those of the engine; progress counts what needs no more work."""
    narrator = Narrator()
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
    narrator = Narrator(before="7/10")
    narrator(ProgressChanged(Progress(total=10, cached=4)))
    assert narrator.part()["progress"] == "7/10"
    narrator(ProgressChanged(Progress(total=10, cached=4, computed=5)))
    assert narrator.part()["progress"] == "9/10"


def test_waiting_is_told_and_taken_back() -> None:
    """What the run waits for is told while it waits."""
    narrator = Narrator()
    narrator.waiting = Waiting(reason="StoreUnreachable", message="away")
    assert narrator.part()["waiting"]["reason"] == "StoreUnreachable"
    narrator.waiting = None
    assert "waiting" not in narrator.part()


def test_pace() -> None:
    """News is welcome at once, then once a second, on long runs once in two."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.wait() == 0
    pace.wrote()
    assert pace.wait() == 1.0
    now[0] = 0.75
    assert pace.wait() == 0.25
    assert [pause(seconds) for seconds in (0, 59, 61, 9999)] == [1, 1, 2, 2]
