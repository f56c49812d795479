"""What the status says of a run that is over."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.controller.observed_builders import START
from voxk8s.api.status import KernelWork, StoreCounts
from voxk8s.api.workplan import decode_status
from voxk8s.errors import InputNotAllowed, InvalidPlan, KernelError
from voxk8s.execution.events import Progress
from voxk8s.execution.result import ExecutionResult, GoalOutcome, KernelTotals, SkippedItem
from voxk8s.failure import Failure
from voxk8s.not_finite import NotFinite
from voxk8s.plan import Goal, OperationId
from voxk8s.runner import status_fields
from voxk8s.storage import Counts

PROGRESS = Progress(total=5, cached=2, computed=3)
FAILED = OperationId("f" * 64)
SAVED = {
    "digest": "d" * 64,
    "size": 7,
    "media_type": "image/png",
    "url": "s3://b/cas/sha256/dd/d",
}


def goal(name: str, kind: Any = "print", **parts: Any) -> GoalOutcome:
    """Return the outcome of a goal."""
    operation = OperationId("o" * 64)
    return GoalOutcome(Goal(kind, operation, name), operation, **parts)


def result(*goals: GoalOutcome, **parts: Any) -> ExecutionResult:
    """Return the result of a run."""
    return ExecutionResult(
        goals, parts.pop("failures", ()), PROGRESS, {}, 1.5, parts.pop("nondeterministic", ())
    )


def status(found: ExecutionResult, problems: tuple[str, ...] = ()) -> Any:
    """Return the status with the runner's fields."""
    end = status_fields.run_outcome(found, problems, START)
    part = status_fields.final_fields(found, end, "5/5", "s3://b/runs/x")
    return decode_status({"observedGeneration": 1, **part})


def test_success() -> None:
    """Values and files stand in goal order, with digests, and counts as they are."""
    found = status(
        result(
            goal("n", value=8.5, has_value=True, text="8.5"),
            goal("m.png", "save", **SAVED),
            goal("i", text="image 2x3x4 float32", digest="e" * 64, size=96),
        )
    )
    assert [r.goal for r in found.results] == ["n", "m.png", "i"]
    assert [r.value for r in found.results[::2]] == [8.5, "image 2x3x4 float32"]
    saved = found.results[1]
    assert (saved.url, saved.digest) == (SAVED["url"], f"sha256:{'d' * 64}")
    assert (saved.media_type, saved.size_bytes) == ("image/png", 7)
    assert (found.operations.total, found.operations.cached, found.operations.computed) == (5, 2, 3)
    assert (found.outcome.state, found.outcome.reason) == ("Succeeded", "AllGoalsReached")


def test_the_report_is_said_where_there_is_one() -> None:
    """By its URL; nothing is said of one that could not be written."""
    end = status_fields.run_outcome(result(), (), START)
    part = status_fields.final_fields(
        result(), end, "5/5", "s3://b/runs/x", "s3://b/runs/x/report.html"
    )
    assert part["report"] == {"url": "s3://b/runs/x/report.html"}
    assert "report" not in status_fields.final_fields(result(), end, "5/5", "s3://b/runs/x")


def test_partial_failure() -> None:
    """The goals that were reached are there; the message names a failed one and why."""
    failure = Failure("input s3://b/x: no such file", kernel="default.load", operation=FAILED)
    found = status(
        result(
            goal("n", value=1, has_value=True),
            goal("v", failure=failure),
            failures=(failure,),
        )
    )
    assert [r.goal for r in found.results] == ["n"]
    assert (found.outcome.state, found.outcome.reason) == ("Failed", "OperationFailed")
    assert "1 of 2 goals" in found.outcome.message
    assert "s3://b/x" in found.outcome.message
    assert [(f.kernel, f.message) for f in found.failures] == [
        ("default.load", "default.load (ffffffffffff) failed: input s3://b/x: no such file")
    ]


def test_files_that_could_not_be_copied() -> None:
    """A run whose files did not get to their place has failed, in words about the place."""
    found = status(result(goal("m.png", "save", **SAVED)), ("s3://out/m.png: denied",))
    assert found.outcome.reason == "OutputUnavailable"
    assert "s3://out/m.png" in found.outcome.message
    assert len(found.results) == 1


def test_items_that_were_skipped() -> None:
    """They are named in the status and in the message of a run that has reached its goals."""
    failure = Failure("no such file", kernel="default.load", operation=FAILED)
    skipped = tuple(SkippedItem(f"item {n} (s{n}.nii)", failure) for n in range(12))
    reached = replace(result(goal("n", value=1, has_value=True)), skipped=skipped)
    found = status(reached)
    assert found.outcome.state == "Succeeded"
    assert "12 items of loops failed and were skipped: item 0 (s0.nii)," in found.outcome.message
    assert found.outcome.message.endswith("item 9 (s9.nii) and 2 more.")
    assert found.skipped_items[0].message.endswith("no such file")
    assert len(json.loads(status_fields.results_json(reached, found.outcome))["skippedItems"]) == 12
    one = status_fields.run_outcome(replace(reached, skipped=skipped[:1]), (), START)
    assert one.message.endswith("1 item of a loop failed and was skipped: item 0 (s0.nii).")


def test_results_that_are_not_finite() -> None:
    """They are said to be so beside their values, and in the message."""
    said = NotFinite("n", "NaN", "NaN", "default.division", FAILED)
    reached = replace(result(goal("n", value=math.nan, has_value=True)), not_finite=(said,))
    found = status(reached)
    assert found.outcome.message.endswith(f" Warning: {said}.")
    assert found.results[0].not_finite == str(said)


def test_values_that_are_not_as_expected() -> None:
    """The run has failed, in words about both values; all results are delivered."""
    reached = result(goal("n", value=1, has_value=True), goal("m.png", "save", **SAVED))
    end = status_fields.run_outcome(reached, (), START, ["n: expected 2, found 1"])
    assert (end.state, end.reason) == ("Failed", "ExpectationFailed")
    assert "1 value is not as expected: n: expected 2, found 1" in end.message
    part = status_fields.final_fields(reached, end, "5/5", "s3://b/runs/x")
    assert [each["goal"] for each in part["results"]] == ["n", "m.png"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (True, True),
        (None, None),
        ([1, 2.5], [1, 2.5]),
    ],
)
def test_values_are_json(value: Any, shown: Any) -> None:
    """Values keep their type; numbers that JSON lacks become text."""
    found = status(result(goal("v", value=value, has_value=True)))
    assert found.results[0].value == shown
    assert found.results[0].truncated is None


def test_status_is_bounded() -> None:
    """Many goals, long values and long messages stay below 256 KiB, with what is left out."""
    goals = [goal(f"g{n}", value="x" * 9000, has_value=True) for n in range(2000)]
    failures = tuple(
        Failure("m" * 5000, kernel="k", operation=OperationId(f"{n:064d}")) for n in range(500)
    )
    end = status_fields.run_outcome(result(*goals), (), START)
    part = status_fields.final_fields(result(*goals, failures=failures), end, "5/5", "")
    assert len(msgspec.json.encode(part)) < 230_000
    assert part["resultsOmitted"] + len(part["results"]) == 2000
    assert part["failuresOmitted"] + len(part["failures"]) == 500
    assert part["results"][0]["truncated"]


def test_report_has_everything() -> None:
    """The report in the run's folder leaves nothing out."""
    goals = [goal(f"g{n}", value=n, has_value=True) for n in range(3000)]
    end = status_fields.run_outcome(result(*goals), (), START)
    report = msgspec.json.decode(status_fields.results_json(result(*goals), end))
    assert len(report["results"]) == 3000
    long = result(goal("l", value="x" * 9000, has_value=True))
    report = msgspec.json.decode(status_fields.results_json(long, end))
    assert report["results"][0]["value"] == "x" * 9000, "cut where it should be whole"
    assert report["outcome"]["state"] == "Succeeded"


def test_non_determinism_is_reported() -> None:
    """Result keys that gave two values are in the outcome, a few of many."""
    found = status(result(goal("n", value=1, has_value=True), nondeterministic=("k" * 64,) * 99))
    assert len(found.outcome.non_deterministic) == 16


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidPlan("no", "$.x"), "InvalidPlan"),
        (InputNotAllowed("input /x"), "InputNotAllowed"),
        (KernelError("?"), "OperationFailed"),
    ],
)
def test_refusals(error: Any, reason: str) -> None:
    """A plan that can never run says why, with its path."""
    found = status_fields.rejected_outcome(error, START)
    assert (found.state, found.reason, found.message) == ("Failed", reason, str(error))


def test_paths_are_not_shown(tmp_path: Path) -> None:
    """The status does not contain paths of a pod's file system."""
    found = status(result(goal("m.png", "save", path=tmp_path / "m.png", **SAVED)))
    assert str(tmp_path) not in str(found)


def test_what_the_run_did_is_in_the_outcome() -> None:
    """With the work of the kernels that took the most seconds; results.json has all."""
    kernels = {f"lab.k{n}": KernelTotals(1, 2, 0, 100.0 - n, 8) for n in range(60)}
    found = replace(result(), store=Counts(hits=3, bytes_written=7), kernels=kernels)
    end = status_fields.run_outcome(found, (), START)
    assert end.store == StoreCounts(hits=3, bytes_written=7)
    assert end.kernels is not None
    assert len(end.kernels) == 50
    assert end.kernels[0] == KernelWork(
        kernel="lab.k0", computed=1, found=2, seconds=100.0, bytes=8
    )
    document = msgspec.json.decode(status_fields.results_json(found, end))
    assert len(document["kernels"]) == 60
    assert document["outcome"]["store"] == {"hits": 3, "bytesWritten": 7}
