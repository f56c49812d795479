"""Tests of reduction: ids, sharing, loops."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.imgql import compile_error, compile_text, goal_text, value
from voxk8s.plan.model import Closure, Operation

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
    """Renaming what a program defines leaves its plan as it is."""
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


def test_plans_name_the_namespaces_they_need() -> None:
    """Imports of a program, also those of the library, are imports of its plan."""
    assert compile_text('import "stdlib.imgql"\nimport "arrays"').plan.imports == ("vox1", "arrays")
    assert goal_text('print "a" vox1.near(load("f"))') == "vox1.near(load('f'))"


def test_unused_arguments_are_not_reduced() -> None:
    """An argument that a function does not use, however deep, is not in the plan."""
    text = 'let k(a, b) = a\nlet f(a, b) = k(a, b + 1)\nprint "x" f(1, mean([1, 2]))'
    assert len(compile_text(text).plan.nodes) == 1


def test_chains_of_functions_are_reduced_once_a_call() -> None:
    """20 functions that call their predecessors six times do not take 6^20 steps."""
    calls = "\n".join(f"let f{i}(x) = " + " + ".join([f"f{i - 1}(x)"] * 6) for i in range(1, 21))
    assert len(compile_text(f'let f0(x) = x\n{calls}\nprint "a" f20(1)').plan.nodes) < 200


def test_arguments_that_nobody_uses_cost_nothing() -> None:
    """Calls that differ only in unused arguments are the same call."""
    calls = "\n".join(
        f"let f{i}(x) = " + " + ".join(f"f{i - 1 - k % 2}(x + {k})" for k in range(6))
        for i in range(2, 21)
    )
    plan = compile_text(f'let f0(x) = 1\nlet f1(x) = 2\n{calls}\nprint "a" f20(1)').plan
    assert len(plan.nodes) < 200


def test_a_loop_is_a_closure_over_its_item() -> None:
    """`for` becomes a map; the body's own operations are inside of the closure."""
    assert goal_text('print "a" for x in range(3) do x * x') == (
        "map({multiplication(item, item)}, range(3.0))"
    )


def test_what_does_not_depend_on_the_item_is_captured() -> None:
    """Loop-invariant operations stand outside of the loop; constants are copied."""
    assert goal_text('let k = mean([1])\nprint "a" for x in range(3) do x + (k * 2)') == (
        "map({addition(item, c0) | c0=multiplication(mean(sequence(1.0)), 2.0)}, range(3.0))"
    )
    assert goal_text('print "a" for x in range(3) do mean([1])') == (
        "map({c0 | c0=mean(sequence(1.0))}, range(3.0))"
    )


def test_inner_loops_capture_the_outer_item() -> None:
    """A loop inside a loop captures what it uses of the outer one."""
    assert goal_text('print "a" for x in range(2) do for y in range(x) do x + y') == (
        "map({map({addition(c0, item) | c0=item}, range(item))}, range(2.0))"
    )


def test_an_inner_loop_that_needs_no_outer_item_moves_out() -> None:
    """An invariant loop is one node outside of the other."""
    assert goal_text('print "a" for x in range(2) do for y in range(3) do y') == (
        "map({c0 | c0=map({item}, range(3.0))}, range(2.0))"
    )


def test_an_inner_body_that_needs_no_outer_item_is_not_captured() -> None:
    """Only values are captured: a body stays with its loop, what it uses goes through."""
    assert goal_text('print "a" for x in range(2) do for y in range(x) do y + mean([1])') == (
        "map({map({addition(item, c0) | c0=c0}, range(item)) | c0=mean(sequence(1.0))}, range(2.0))"
    )


def test_functions_that_loop_capture_their_arguments() -> None:
    """Each call of a function with a loop has captures of its own."""
    plan = compile_text(
        'let f(k) = for x in range(2) do x + mean([k])\nprint "a" f(1)\nprint "b" f(2)'
    )
    closures = [node for node in plan.plan.nodes.values() if isinstance(node, Closure)]
    assert len(closures) == 2
    assert closures[0].nodes == closures[1].nodes
    assert closures[0].captures != closures[1].captures


def test_a_loop_over_what_is_no_sequence_is_refused() -> None:
    """`for x in 3` can never work."""
    assert "1:11: error: `for` needs a sequence, not a number" in compile_error(
        'print "a" for x in 3 do x'
    )


def test_too_many_loops_inside_each_other_are_refused() -> None:
    """More loops than a plan can hold are an error, not a crash."""
    loops = "".join(f"for x{i} in range(2) do " for i in range(70))
    items = " + ".join(f"x{i}" for i in range(70))
    assert "more than 64 nested loops" in compile_error(f'print "a" {loops}{items}')


@given(st.lists(st.integers(0, 99), max_size=5), st.sampled_from("+*-"))
def test_folds_equal_their_written_out_form(items: list[int], sign: str) -> None:
    """`fold` gives the operations that parentheses from the left give."""
    written = "7"
    for item in items:
        written = f"({written} {sign} {item})"
    listed = ", ".join(map(str, items))
    assert value(f"fold {sign} 7 [{listed}]") == value(written)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6))
def test_chains_group_to_the_right(items: list[int]) -> None:
    """A chain without parentheses is the one with all of them on the right."""
    nested = str(items[-1])
    for item in reversed(items[:-1]):
        nested = f"({item} - {nested})"
    assert value(" - ".join(map(str, items))) == value(nested)
