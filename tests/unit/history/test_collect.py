"""The whole of a run, as the report gets it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from msgspec.structs import asdict, replace

import voxk8s
from voxk8s.execution.events import Progress, RunStarted
from voxk8s.execution.result import ExecutionResult, GoalOutcome
from voxk8s.failure import Failure
from voxk8s.history import Recorder, collect, collect_run
from voxk8s.not_finite import NotFinite
from voxk8s.plan import Goal, OperationId
from voxk8s.report import Counts, Run
from voxk8s.storage import Counts as StoreCounts

BAD = OperationId("f" * 64)
FAILURE = Failure("no", attempts=3, kernel="vox1.near", operation=BAD, place="a.imgql:2:5")
PROGRAM = ["import vox1", "\tlet x = near(1)"]


def result(*errors: str | None, **parts: Any) -> ExecutionResult:
    """Make the result of a run with one goal for each error, or None."""
    goals = tuple(
        GoalOutcome(
            Goal("print", BAD, f"g{number}"), BAD, failure=Failure(error) if error else None
        )
        for number, error in enumerate(errors)
    )
    progress = Progress(total=9, cached=1, computed=2, failed=1, running=1, pending=2, skipped=2)
    whole: dict[str, Any] = {"failures": (), "metrics": {}, "execution_time": 1.5, **parts}
    return ExecutionResult(goals, progress=progress, **whole)


def collected(given: ExecutionResult, recorder: Recorder | None = None, **parts: Any) -> Run:
    """Return the history of a run."""
    return collect_run(given, recorder or Recorder(), title="t", goals=(), **parts)


def text(file: str) -> str:
    """Return the text of the program."""
    return "\n".join(PROGRAM) if file == "a.imgql" else ""


@pytest.mark.parametrize(
    ("given", "problems", "outcome", "message"),
    [
        (result(None), (), "succeeded", ""),
        (result(None, "no"), (), "failed", "1 of 2 goals failed."),
        (result(None), ("s3://b/x: denied",), "failed", "s3://b/x: denied"),
        (result("no"), ("more",), "failed", "1 of 1 goals failed. more"),
        (
            result("no", cancelled=True),
            (),
            "stopped",
            collect._PARTIAL,
        ),
    ],
)
def test_the_end_is_collected(
    given: ExecutionResult, problems: Any, outcome: str, message: str
) -> None:
    """Whether all goals were reached and files brought where they were to be."""
    found = collected(given, problems=problems)
    assert (found.outcome, found.message) == (outcome, message)


def test_counts_are_those_of_the_status() -> None:
    """What runs or waits at the end was not done."""
    assert collected(result(None)).counts == Counts(9, 1, 2, 1, 3, 2)


def test_times_are_those_of_all_attempts() -> None:
    """From the start of the first one to the end of the last one."""
    recorder = Recorder()
    recorder(RunStarted("a", 1, 50.0))
    recorder(RunStarted("b", 1, 60.0))
    found = collected(result(None), recorder)
    assert (found.started, found.seconds) == (50.0, 11.5)


def test_failures_show_the_line_of_the_program() -> None:
    """With a mark below the column."""
    found = collected(result("no", failures=(FAILURE,)), text_of=text)
    assert found.failures == (FAILURE,)
    assert found.excerpts == {"a.imgql:2:5": " let x = near(1)\n    ^"}


@pytest.mark.parametrize("place", ["", "elsewhere.imgql:1:1", "odd", "odd:x:y"])
def test_lines_that_are_not_at_hand_are_left_out(place: str) -> None:
    """A plan document has none, and files may be gone."""
    failure = replace(FAILURE, place=place)
    assert collected(result("no", failures=(failure,)), text_of=text).excerpts == {place: ""}


def test_a_long_line_has_no_mark() -> None:
    """It would not stand below its place."""
    long = "x" * 1000
    failure = replace(FAILURE, place="a.imgql:1:500")
    found = collected(result("no", failures=(failure,)), text_of=lambda _: long)
    assert found.excerpts == {"a.imgql:1:500": long}


def test_differences_are_collected() -> None:
    """An operation that gave another value than before is named."""
    (incident,) = collected(result(None, nondeterministic=(BAD,))).incidents
    assert incident.what == "another value than the store had, or none any more"
    assert BAD in incident.message


def test_results_that_are_not_finite_are_collected() -> None:
    """With the operation where that began."""
    said = NotFinite("ratio", "NaN", "NaN", "default.division", BAD, place="a.imgql:1:2")
    (incident,) = collected(result(None, not_finite=(said,))).incidents
    assert incident.message == "ratio has NaN in it, which began in default.division (a.imgql:1:2)"


def test_settings_and_versions_are_collected() -> None:
    """Settings as given, and the versions of what has run."""
    run = collected(result(None), facts=[("store", "s3://b")])
    assert run.facts == (("store", "s3://b"),)
    assert ("voxk8s", voxk8s.__version__) in run.versions
    assert {"Python", "numpy", "distributed"} <= {name for name, _ in run.versions}


def test_what_happened_at_the_store_is_collected() -> None:
    """Every count, under the name that the report has for it."""
    names = [each.name for each in fields(StoreCounts)]
    numbers = {name: number for number, name in enumerate(names, 1)}
    use = collected(result(None, store=StoreCounts(**numbers))).store
    numbers["different"] = numbers.pop("nondeterministic")
    assert asdict(use) == numbers
