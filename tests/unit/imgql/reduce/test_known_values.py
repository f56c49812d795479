"""Tests of values that are known before the run: they are those of the kernels."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_error, compile_text
from voxk8s.execution import ExecutionEngine
from voxk8s.plan import WorkPlan
from voxk8s.storage import open_store

TEXTS = [
    'concat("a", 1, 0.5, true, -0.0, 1e300)',
    'format_string("{:04.1f}|{}|{:03d}|{!s}", 7 / 2, 1 + 1, 6 - 1, true)',
    'concat(index([1, ["x", 2 * 3]], 1)[0], 8 / 2 - 1)',
    'format_string("{1}{0}", "a", concat("b", "c"))',
]


def _values(plan: WorkPlan) -> list[object]:
    engine = ExecutionEngine(open_store("memory://"), executor="synchronous")
    return [goal.value for goal in engine.execute_workplan(plan).goals]


@pytest.mark.parametrize("text", TEXTS)
def test_names_are_the_texts_of_the_kernels(text: str) -> None:
    """What a name is before the run is what the run would make of it."""
    source = f'import "strings"\nload i = "a.nii"\nr = WriteImage(i, concat({text}, ".nii"))\n'
    (goal,) = compile_text(source).plan.goals
    plan = compile_text(f'import "strings"\nprint "x" concat({text}, ".nii")').plan
    assert _values(plan) == [goal.name]


@pytest.mark.parametrize(
    "text", ['concat("a", 1 / 0)', 'format_string("{}{}", 1)', "format_string(1)", "[1][2]"]
)
def test_what_the_run_would_refuse_is_not_known(text: str) -> None:
    """It is no name."""
    source = f'import "strings"\nload i = "a.nii"\nr = WriteImage(i, {text})\n'
    compile_error(source)
