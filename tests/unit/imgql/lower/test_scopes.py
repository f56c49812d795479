"""Tests of local scopes."""

from __future__ import annotations

from tests.support.imgql import goal_text
from voxk8s.imgql.lower.ir import Function
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token


def test_let_in_is_local_and_not_recursive() -> None:
    """Inner names hide outer ones; a local definition does not see itself."""
    text = """
let x = 1
let f(x) = let x = x + 1 in x * 2
print "a" f(5)
print "b" let g(y) = y + x in let x = 10 in g(x)
print "c" x
"""
    assert goal_text(text) == "multiplication(addition(5.0, 1.0), 2.0)\naddition(10.0, 1.0)\n1.0"


def _scope(*parameters: str, parent: Scope | None = None) -> Scope:
    source = Source("p", "")
    function = Function("f", source, 0, 0, len(parameters))
    return Scope(function, 0, tuple(Token("NAME", name, 0) for name in parameters), parent)


def test_a_value_of_an_enclosing_body_becomes_a_parameter() -> None:
    """It is captured once, however often it is used."""
    outer = _scope("a", "b")
    inner = _scope("c", parent=outer)
    assert (inner.find("c"), inner.find("b"), inner.find("b")) == (0, 1, 1)
    assert inner.captured == [1]
    assert inner.function.parameters == 2


def test_a_binding_ends_with_its_block() -> None:
    """The name refers to what it referred to before."""
    scope = _scope("a")
    with scope.bound(Token("NAME", "a", 0), 7), scope.bound(Token("NAME", "b", 0), 8):
        assert (scope.find("a"), scope.find("b")) == (7, 8)
    assert (scope.find("a"), scope.find("b")) == (0, None)
    assert list(scope.names()) == ["a"]
