"""Tests of values as the command line writes them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from voxk8s.cli.run_output import goal_line
from voxk8s.execution import GoalOutcome
from voxk8s.plan import Goal, OperationId
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
