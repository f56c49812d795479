"""Tests of WorkPlans in words and tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cli.workplan_text import age, details, headline, result_line, table

NOW = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)


def workplan(name: str = "brain", **status: Any) -> WorkPlanResource:
    """Return a WorkPlan as the API server has it."""
    return decode_resource(
        {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {
                "name": name,
                "namespace": "mine",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"source": {"program": ""}},
            "status": status,
        }
    )


MESSAGE = "vox1.near (abababababab) failed: KernelError: no mask"
RUNNING: dict[str, Any] = {
    "phase": "Running",
    "progress": "12/40",
    "reason": "Progressing",
    "message": "Operations are computed.",
    "operations": {
        "total": 40, "cached": 9, "computed": 3, "failed": 1, "running": 2, "pending": 25,
    },
    "cluster": {
        "name": "vox-brain", "workers": 3, "dashboardURL": "http://x:8787",
        "workerGroups": [{"name": "gpu", "desiredWorkers": 2, "workers": 1}],
    },
    "failures": [{"operation": "ab" * 32, "kernel": "vox1.near", "message": MESSAGE}],
    "results": [],
    "resultsOmitted": 2,
}  # fmt: skip


def test_table_has_kubectls_columns() -> None:
    """One line each, columns aligned, with namespaces when asked for."""
    lines = table([workplan(**RUNNING), workplan("fresh")], NOW, namespaces=False)
    assert lines[0].split() == [
        "NAME", "STATUS", "PROGRESS", "CACHED", "WORKERS", "DURATION", "AGE",
    ]  # fmt: skip
    assert lines[1].split() == ["brain", "Running", "12/40", "9", "3", "5m"]
    assert lines[2].split() == ["fresh", "Pending", "5m"]
    assert lines[0].index("STATUS") == lines[1].index("Running")
    assert table([workplan()], NOW, namespaces=True)[1].split()[0] == "mine"


def test_details_tell_counts_cluster_and_failures() -> None:
    """All that a person looks for is there."""
    text = "\n".join(details(workplan(**RUNNING), NOW))
    for part in ("mine/brain", "3 computed", "9 known", "vox-brain, 3 workers", "http://x:8787"):
        assert part in text
    assert MESSAGE in text
    assert "gpu, 1 of 2 workers" in text
    assert "results      2" in text


def test_headline_of_a_fresh_workplan() -> None:
    """A WorkPlan without a status is pending."""
    assert headline(workplan(), NOW) == "Pending"
    assert (
        headline(workplan(**RUNNING), NOW) == "Running 12/40 Progressing: Operations are computed."
    )


def test_headline_has_the_time_left() -> None:
    """It counts from now, whenever the status was written; an end that has passed is not shown."""
    soon = workplan(**RUNNING, estimatedCompletionTime="2026-01-01T00:07:00Z")
    assert headline(soon, NOW).startswith("Running 12/40 (about 2 min left) Progressing")
    assert headline(soon, NOW + timedelta(minutes=9)) == headline(workplan(**RUNNING), NOW)
    ended = workplan(
        **RUNNING | {"completionTime": "2026-01-01T00:04:00Z", "phase": "Failed"},
        estimatedCompletionTime="2026-01-01T00:07:00Z",
    )
    assert "left" not in headline(ended, NOW)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (5.5, "5.5"),
        (True, "true"),
        (None, "null"),
        ("a\nb", "a\\nb"),
        ([1, [2.5, "é"]], '[1,[2.5,"é"]]'),
        ({"a": 1}, '{"a":1}'),
    ],
)
def test_values_are_written_as_run_writes_them(value: object, text: str) -> None:
    """Strings bare, JSON compact, truth values in lower case."""
    resource = workplan(results=[{"goal": "x", "kind": "print", "value": value}])
    assert [result_line(result) for result in resource.status.results or ()] == [f"x={text}"]


def test_files_are_shown_by_their_url() -> None:
    """A saved file's line has where it lies."""
    resource = workplan(results=[{"goal": "m.nii.gz", "kind": "save", "url": "s3://b/cas/x"}])
    assert [result_line(r) for r in resource.status.results or ()] == ["m.nii.gz=s3://b/cas/x"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (5, "5s"), (119, "119s"), (120, "2m"), (7300, "2h"), (2e5, "2d")],
)
def test_ages_are_short(seconds: float, text: str) -> None:
    """Two of a larger unit are needed before it is used."""
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_a_number_has_the_text_that_a_run_prints() -> None:
    """The API server returns whole floats as integers; the status has their line."""
    results = [{"goal": "v", "kind": "print", "value": 709723, "line": "709723.0"}]
    (result,) = workplan(results=results).status.results or ()
    assert result_line(result) == "v=709723.0"
