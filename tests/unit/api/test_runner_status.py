"""The runner's part of the status."""

from __future__ import annotations

import msgspec

from voxk8s.api.runner_status import (
    RUNNER_FIELDS,
    encode_runner_status,
    parse_finished,
    progress_text,
)
from voxk8s.api.status import GoalResult, OperationCounts, Outcome, Waiting, WorkPlanStatus
from voxk8s.api.workplan import decode_status

COUNTS = OperationCounts(total=2, cached=1, computed=1, failed=0, running=0, pending=0)


def test_only_the_runners_fields_are_written() -> None:
    """The operator's fields keep their defaults, and fields without a value are left out."""
    part = encode_runner_status(
        operations=COUNTS,
        progress="2/2",
        results=[],
        failures=[],
        outcome=Outcome(state="Succeeded", reason="AllGoalsReached"),
        waiting=Waiting(reason="StoreUnreachable"),
        run_url="s3://b/runs/x",
        report_url="s3://b/runs/x/report.html",
    )
    status = decode_status({"observedGeneration": -1, **part})
    others = {name: getattr(WorkPlanStatus(), name) for name in RUNNER_FIELDS}
    assert msgspec.structs.replace(status, **others) == WorkPlanStatus()
    assert not part["results"]
    assert (part["operations"]["computed"], part["progress"]) == (1, "2/2")
    assert "resultsOmitted" not in part
    assert encode_runner_status(progress="1/2") == {"progress": "1/2"}


def test_omitted_results_are_counted() -> None:
    """Results beyond the limit of the status are left out, and their number is written."""
    results = [GoalResult(goal="x" * 1000, kind="print", value=1) for _ in range(1000)]
    part = encode_runner_status(results=results)
    assert len(part["results"]) + part["resultsOmitted"] == 1000
    assert part["resultsOmitted"] > 0


def test_progress_text_never_decreases() -> None:
    """An earlier text with more finished operations wins; the total bounds both."""
    assert progress_text(None, 2, 10) == "2/10"
    assert progress_text("7/10", 4, 10) == "7/10"
    assert progress_text("7/10", 9, 10) == "9/10"
    assert progress_text("12/40", 0, 10) == "10/10"


def test_finished_operations_of_a_progress_text() -> None:
    """A missing or other text counts as no finished operation."""
    assert [parse_finished(text) for text in ("12/40", None, "", "x/1")] == [12, 0, 0, 0]
