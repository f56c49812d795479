"""Tests of the intermediate representation."""

from __future__ import annotations

from voxk8s.imgql.lower.ir import Call, Constant, Fold, Function, Map, operands_of
from voxk8s.imgql.syntax.source_text import Source


def _function(parameters: int, used: tuple[int, ...]) -> Function:
    function = Function("f", Source("p", ""), 0, 0, parameters)
    function.used = used
    return function


def test_arguments_that_the_callee_does_not_use_are_not_operands() -> None:
    """A call needs only the arguments that its function uses."""
    assert operands_of(Call(_function(3, (0, 2)), (7, 8, 9), 0, 0)) == (7, 9)
    assert operands_of(Constant(1.0, 0, 0)) == ()


def test_the_operands_of_loops_are_their_sequence_and_used_captures() -> None:
    """The item of a loop, and both parameters of a fold, are not operands."""
    assert operands_of(Map(_function(3, (0, 2)), 5, (6, 7), 0, 0)) == (5, 7)
    assert operands_of(Fold(_function(4, (0, 1, 3)), 4, 5, (6, 7), 0, 0)) == (4, 5, 7)


def test_callees_are_the_functions_of_calls_and_loops() -> None:
    """They are listed in the order of the instructions."""
    body, called, mapped = _function(0, ()), _function(0, ()), _function(1, ())
    body.add(Constant(1.0, 0, 0))
    assert body.add(Call(called, (), 0, 0)) == 1
    body.add(Map(mapped, 0, (), 0, 0))
    assert body.callees == [called, mapped]
