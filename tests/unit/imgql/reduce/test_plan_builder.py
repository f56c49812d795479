"""Tests of the plan builder: ids, shared nodes, expanded functions."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_error, compile_text, goal_text
from voxk8s.plan import expansion_limit
from voxk8s.plan.model import Operation

SUM = "3347a88c96b782a62e8f1d2bca092c275f843d82c93b35ba3872ddde1c52d10c"


def test_ids_are_those_of_the_upstream_system() -> None:
    """5 + 3 in a program has the id that VoxLogicA gives it."""
    (goal,) = compile_text('print "sum" 5 + 3').plan.goals
    assert (goal.operation, goal.name, goal.id) == ("print", "sum", SUM)


def test_equal_operations_are_one_node() -> None:
    """The same operation, however it is written, is in the plan once."""
    plan = compile_text(
        'let f(x) = x + 3\nlet g(y, z) = y + z\nprint "a" f(5)\nprint "b" g(5, 3)'
    ).plan
    assert {goal.id for goal in plan.goals} == {SUM}
    assert len(plan.nodes) == 3


def test_names_and_positions_are_not_in_ids() -> None:
    """Renaming what a program defines does not change its plan."""
    first = compile_text('let f(x) = for i in [1] do i + x\nprint "a" f(2)').plan
    other = compile_text('let g(q) =\n  for j in [1] do j + q\nprint "a" g(2)').plan
    assert first == other


def test_nodes_come_after_what_they_need() -> None:
    """The nodes of a plan are in the order in which they can be computed."""
    plan = compile_text('let f(x) = x * x\nprint "a" f(f(f(2))) + f(3)').plan
    seen: set[str] = set()
    for name, node in plan.nodes.items():
        if isinstance(node, Operation):
            assert seen.issuperset(node.arguments)
        seen.add(name)


def test_plans_list_the_namespaces_they_need() -> None:
    """Imports of a program, also those of the library, are imports of its plan."""
    assert compile_text('import "stdlib.imgql"\nimport "arrays"').plan.imports == ("vox1", "arrays")
    assert goal_text('print "a" vox1.near(load("f"))') == "vox1.near(load('f'))"


def test_too_many_nested_loops_are_refused() -> None:
    """More loops than a plan can hold are an error, not a crash."""
    loops = "".join(f"for x{i} in range(2) do " for i in range(70))
    items = " + ".join(f"x{i}" for i in range(70))
    assert "more than 64 nested loops" in compile_error(f'print "a" {loops}{items}')


@pytest.mark.parametrize(
    "text",
    [
        "let f0(a) = a + 1\n"
        + "\n".join(f"let f{i}(a) = f{i - 1}(f{i - 1}(a))" for i in range(1, 60))
        + '\nprint "x" f59(1)',
        'let f(i) = fold % i range(900) let %(a, b) = b\nprint "x" fold + 0 (map(f, range(900)))',
    ],
    ids=["calls", "folds"],
)
def test_a_short_program_that_expands_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The error has the place of the goal."""
    monkeypatch.setattr(expansion_limit, "_limit", 1000)
    message = compile_error(text)
    assert "this expands to more than 1,000 operations" in message
    line = text.count("\n") + 1
    assert f"main.imgql:{line}:" in message
