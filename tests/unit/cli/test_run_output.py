"""Tests of values as the command line writes them."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from voxk8s.cli.run_output import failure_json, goal_line, result_json
from voxk8s.execution import ExecutionResult, GoalOutcome, Progress
from voxk8s.execution.result import KernelTotals
from voxk8s.failure import Failure
from voxk8s.plan import Goal, OperationId, WorkPlan
from voxk8s.storage import Counts
from voxk8s.values import Image, Value


def outcome(value: Value, name: str = "x") -> GoalOutcome:
    """Return a print goal that was reached."""
    goal = Goal("print", OperationId("0" * 64), name)
    return GoalOutcome(goal, goal.id, value=value, has_value=True)


IMAGE = Image(np.zeros((2, 3, 4), "float32"), (1.0,) * 3, (0.0,) * 3, (1.0,) * 9)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (5.0, "x=5.0"),
        (5, "x=5"),
        (True, "x=true"),
        ("a\r\nb", "x=a\\r\\nb"),
        ("a\u2028b\x0bc\x85", "x=a\\u2028b\\x0bc\\u0085"),
        (["a\nb\u2029"], 'x=["a\\nb\\u2029"]'),
        ([1.0, [True, "é"]], 'x=[1.0,[true,"é"]]'),
        ({"dice": 0.5}, 'x={"dice":0.5}'),
        (IMAGE, "x=image 2x3x4 float32"),
    ],
)
def test_lines_of_goals(value: Value, line: str) -> None:
    """Numbers by repr, strings bare on one line, sequences compact, images by what they are."""
    assert goal_line(outcome(value)) == line


def test_long_values_are_written_whole() -> None:
    """A long sequence is not cut on standard output."""
    numbers: list[Value] = [float(i) for i in range(10_000)]
    assert json.loads(goal_line(outcome(numbers)).removeprefix("x=")) == numbers


def test_names_stay_on_their_line() -> None:
    """A line break in a name does not make two lines."""
    assert goal_line(outcome(1, "a\nb")) == "a\\nb=1"


def test_json_has_what_happened_at_the_store() -> None:
    """All counts, and the work by kernel; zeros for a run that was aborted."""
    kernels = {"vox1.near": KernelTotals(2, 1, 0, 0.12345678, 64)}
    result = ExecutionResult(
        (), (), Progress(), {}, 1.0, store=Counts(hits=3, bytes_read=9), kernels=kernels
    )
    document = result_json(result)
    assert document["store"] == asdict(Counts(hits=3, bytes_read=9))
    assert document["kernels"] == {
        "vox1.near": {"computed": 2, "found": 1, "failed": 0, "seconds": 0.123457, "bytes": 64}
    }
    aborted = failure_json(WorkPlan({}, ()), Failure("no"))
    assert aborted.keys() == document.keys()
    assert aborted["store"] == asdict(Counts())
