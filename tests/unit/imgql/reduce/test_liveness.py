"""Tests of liveness analysis: recursion is found."""

from __future__ import annotations

from tests.support.imgql import compile_error
from voxk8s.imgql.lower.ir import Call, Constant, Function, Parameter
from voxk8s.imgql.reduce.liveness import analyse_liveness
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source


def test_recursion_is_refused_with_the_cycle() -> None:
    """The definitions of the cycle are listed in order."""
    text = "let f(x) = g(x) + 1\nlet g(x) = [h(x)]\nlet h(x) = for y in [x] do f(y)"
    assert "`f` is defined in terms of itself: f -> g -> h -> f" in compile_error(text)
    assert "`f` is defined in terms of itself: f -> f" in compile_error("let f(x) = f(x)")
    assert "`a` is defined in terms of itself: a -> b -> a" in compile_error("let a = b\nlet b = a")


def test_a_long_cycle_is_abbreviated() -> None:
    """A cycle of thousands of definitions is shown in one line."""
    text = "\n".join(f"let a{i} = a{(i + 1) % 5000}" for i in range(5000))
    message = compile_error(text)
    assert "`a0` is defined in terms of itself: a0 -> a1" in message
    assert len(message) < 400


def test_only_what_the_result_needs_is_live() -> None:
    """An argument that the callee does not use is not live in the caller."""
    source = Source("p", "")
    first = Function("first", source, 0, 0, 2)
    first.add(Parameter(0, 0, 0))
    first.add(Parameter(1, 0, 0))
    first.result = 0
    caller = Function("caller", source, 0, 0, 1)
    caller.add(Parameter(0, 0, 0))
    caller.add(Constant(1.0, 0, 0))
    caller.result = caller.add(Call(first, (1, 0), 0, 0))
    assert analyse_liveness([caller], Diagnostics())
    assert (first.used, first.live) == ((0,), (0,))
    assert (caller.used, caller.live) == ((), (1, 2))
