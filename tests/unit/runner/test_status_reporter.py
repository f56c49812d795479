"""The runner's fields of the status while a run lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from voxk8s.api.status import OperationCounts, Waiting
from voxk8s.execution.events import (
    OperationFinished,
    OperationWaits,
    Progress,
    ProgressChanged,
    RunStarted,
)
from voxk8s.plan import OperationId, ResultKey
from voxk8s.runner.status_reporter import RateLimit, StatusReporter, write_interval


def test_nothing_is_published_before_the_plan_is_resolved() -> None:
    """Before the engine has resolved the plan there are no fields to publish."""
    reporter = StatusReporter()
    reporter(RunStarted("r", 1, 0.0))
    assert reporter.fields() == {}
    assert reporter.fields_to_publish() == {}


def test_published_counts_stay_until_more_is_known() -> None:
    """A runner that starts neither removes published counts nor reports fewer cached results."""
    published = OperationCounts(total=12, cached=2, computed=0, failed=0, running=0, pending=10)
    reporter = StatusReporter(published_progress="2/12", published_counts=published)
    assert reporter.fields_to_publish() == {}, "a write would take away what it leaves out"
    reporter.waiting = Waiting(reason="SourceUnavailable", message="no such file")
    assert reporter.fields_to_publish()["operations"]["cached"] == 2
    reporter.waiting = None
    reporter(ProgressChanged(Progress(total=12, pending=12)))
    assert reporter.fields_to_publish() == {}
    reporter(ProgressChanged(Progress(total=12, cached=2, pending=10)))
    assert reporter.fields_to_publish()["operations"]["cached"] == 2
    reporter(ProgressChanged(Progress(total=12, cached=1, computed=4, pending=7)))
    assert reporter.fields_to_publish()["operations"]["cached"] == 1


def test_results_that_the_store_lost_are_counted_as_computed() -> None:
    """Once the first result is computed again, the engine's counts replace the published ones."""
    published = OperationCounts(total=4, cached=4, computed=0, failed=0, running=0, pending=0)
    reporter = StatusReporter(published_progress="4/4", published_counts=published)
    reporter(ProgressChanged(Progress(total=4, cached=1, computed=1, pending=2)))
    assert reporter.fields_to_publish()["operations"]["cached"] == 1


def test_counts_and_progress() -> None:
    """Counts are those of the engine; progress includes cached and skipped operations."""
    reporter = StatusReporter()
    progress = Progress(total=10, cached=2, skipped=3, computed=1, running=2, pending=2)
    reporter(ProgressChanged(progress))
    part = reporter.fields()
    assert part["progress"] == "6/10"
    assert part["operations"]["cached"] == 2
    assert set(part["operations"]) == {
        "total", "cached", "computed", "failed", "running", "pending",
    }  # fmt: skip


def test_progress_never_goes_down() -> None:
    """A new attempt that computes lost results again does not reduce the progress."""
    reporter = StatusReporter(published_progress="7/10")
    reporter(ProgressChanged(Progress(total=10, cached=4)))
    assert reporter.fields()["progress"] == "7/10"
    reporter(ProgressChanged(Progress(total=10, cached=4, computed=5)))
    assert reporter.fields()["progress"] == "9/10"


def test_waiting_is_set_and_removed() -> None:
    """`waiting` is in the status only while the run waits."""
    reporter = StatusReporter()
    reporter.waiting = Waiting(reason="StoreUnreachable", message="away")
    assert reporter.fields()["waiting"]["reason"] == "StoreUnreachable"
    reporter.waiting = None
    assert "waiting" not in reporter.fields()


def test_rate_limit() -> None:
    """A write is allowed after a second, then once a second, on long runs once in two seconds."""
    now = [100.0]
    limit = RateLimit(lambda: now[0])
    assert limit.delay() == 1.0
    now[0] = 101.0
    assert limit.delay() == 0
    limit.record_write()
    assert limit.delay() == 1.0
    now[0] = 101.75
    assert limit.delay() == 0.25
    assert [write_interval(seconds) for seconds in (0, 59, 61, 9999)] == [1, 1, 2, 2]


def test_large_workplans_are_written_less_often() -> None:
    """A WorkPlan of a megabyte is stored four times a minute, a small one as ever."""
    assert write_interval(0.0, 10_000) == 1.0
    assert 60 / write_interval(999.0, 2**20) == pytest.approx(3.75)


def test_operations_that_wait_are_reported_beside_the_counts() -> None:
    """`waiting` names the other run as long as an operation waits for it."""
    reporter = StatusReporter()
    reporter(ProgressChanged(Progress(total=3, running=1, pending=2)))
    key, operation = ResultKey("k"), OperationId("id-k")
    reporter(OperationWaits(key, operation, "vox1.pdt", "WorkPlan a/b"))
    fields = reporter.fields_to_publish()
    assert fields["waiting"]["reason"] == "Progressing"
    assert "vox1.pdt" in fields["waiting"]["message"]
    assert fields["operations"]["running"] == 1
    reporter(OperationFinished(key, operation, "vox1.pdt", 0.1, 1, 0.0, 8, True, "w", found=True))
    assert "waiting" not in reporter.fields_to_publish()


def test_what_blocks_the_whole_run_takes_precedence() -> None:
    """A store that is unreachable before the run is reported rather than a single operation."""
    reporter = StatusReporter()
    reporter(OperationWaits(ResultKey("k"), OperationId("id-k"), "vox1.pdt", "WorkPlan a/b"))
    reporter.waiting = Waiting(reason="StoreUnreachable", message="away")
    assert reporter.fields()["waiting"]["reason"] == "StoreUnreachable"


START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_expected_end_changes_with_the_counts_only() -> None:
    """Time that passes causes no writes, since the end is a point in time."""
    now = [START]
    reporter = StatusReporter(now=lambda: now[0])
    reporter(ProgressChanged(Progress(total=4, computed=1, pending=3, seconds_left=90.4)))
    first = reporter.fields_to_publish()
    assert first["estimatedCompletionTime"] == "2026-01-01T00:01:30Z"
    now[0] += timedelta(seconds=7)
    reporter(ProgressChanged(Progress(total=4, computed=1, pending=3, seconds_left=80.0)))
    assert reporter.fields_to_publish() == first
    reporter(ProgressChanged(Progress(total=4, computed=2, pending=2, seconds_left=63.0)))
    assert reporter.fields_to_publish()["estimatedCompletionTime"] == "2026-01-01T00:01:10Z"


def test_no_end_is_expected_without_a_basis() -> None:
    """The field is absent if costs are not known, while the run waits, and when it has ended."""
    reporter = StatusReporter(now=lambda: START)
    reporter(ProgressChanged(Progress(total=4, pending=4)))
    assert "estimatedCompletionTime" not in reporter.fields()
    reporter(ProgressChanged(Progress(total=4, computed=1, pending=3, seconds_left=90.0)))
    assert "estimatedCompletionTime" in reporter.fields()
    assert "estimatedCompletionTime" not in reporter.fields(ended=True)
    reporter.waiting = Waiting(reason="StoreUnreachable", message="away")
    assert "estimatedCompletionTime" not in reporter.fields()
