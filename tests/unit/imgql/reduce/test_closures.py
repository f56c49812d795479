"""Tests of closures: what a loop captures."""

from __future__ import annotations

from tests.support.imgql import compile_text, goal_text
from voxk8s.plan.model import Closure


def test_a_loop_is_a_closure_over_its_item() -> None:
    """`for` becomes a map; the body's own operations are inside the closure."""
    assert goal_text('print "a" for x in range(3) do x * x') == (
        "map({multiplication(item, item)}, range(3.0))"
    )


def test_what_does_not_depend_on_the_item_is_captured() -> None:
    """Loop-invariant operations are outside the loop; constants are copied."""
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


def test_an_inner_loop_that_does_not_depend_on_the_outer_item_is_hoisted() -> None:
    """An invariant loop is one node outside the other."""
    assert goal_text('print "a" for x in range(2) do for y in range(3) do y') == (
        "map({c0 | c0=map({item}, range(3.0))}, range(2.0))"
    )


def test_an_inner_body_is_not_captured() -> None:
    """Only values are captured: a body remains in its loop."""
    assert goal_text('print "a" for x in range(2) do for y in range(x) do y + mean([1])') == (
        "map({map({addition(item, c0) | c0=c0}, range(item)) | c0=mean(sequence(1.0))}, range(2.0))"
    )


def test_functions_that_loop_capture_their_arguments() -> None:
    """Each call of a function with a loop has its own captures."""
    plan = compile_text(
        'let f(k) = for x in range(2) do x + mean([k])\nprint "a" f(1)\nprint "b" f(2)'
    )
    closures = [node for node in plan.plan.nodes.values() if isinstance(node, Closure)]
    assert len(closures) == 2
    assert closures[0].nodes == closures[1].nodes
    assert closures[0].captures != closures[1].captures
