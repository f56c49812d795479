"""The status of a WorkPlan."""

from __future__ import annotations

from datetime import UTC, datetime

from voxk8s.api.status import GoalResult, OperationCounts, WorkPlanStatus
from voxk8s.api.workplan import decode_status, encode


def test_status_round_trips() -> None:
    """What is written as a status is read back as the same status."""
    status = WorkPlanStatus(
        observed_generation=3,
        start_time=datetime(2026, 1, 2, tzinfo=UTC),
        operations=OperationCounts(total=2, cached=0, computed=2, failed=0, running=0, pending=0),
        results=(GoalResult(goal="sum", kind="print", value=5),),
    )
    assert decode_status(encode(status)) == status


def test_zero_counts_are_written() -> None:
    """A count of zero is a statement, not an absence."""
    counts = OperationCounts(total=0, cached=0, computed=0, failed=0, running=0, pending=0)
    assert set(encode(counts).values()) == {0}
    assert len(encode(counts)) == 6


def test_null_value_differs_from_no_value() -> None:
    """The value null of a goal is written, the value of a saved file is absent."""
    assert encode(GoalResult(goal="a", kind="print", value=None))["value"] is None
    assert "value" not in encode(GoalResult(goal="a", kind="save"))
