"""Syntax trees as tokens."""

from __future__ import annotations

import ast

import pytest

from voxk8s.kernels.syntax_tokens import function_tokens, tree_tokens

FUNCTION = """
def f(x):
    y = [x, 1.0]
    return y[0] if x else None
"""


def _tokens(text: str) -> list[str]:
    return list(tree_tokens(ast.parse(text)))


@pytest.mark.parametrize(
    "same",
    [
        "def f(x):\n\n    y = [x,\n      1.0]  # a list\n    return (y[0] if x else None)\n",
        "def f(x: int) -> float:\n    'Return it.'\n" + "".join(FUNCTION.splitlines(True)[2:]),
    ],
    ids=["layout and comments", "annotations and a docstring"],
)
def test_what_has_no_meaning_leaves_no_trace(same: str) -> None:
    """Two texts of one meaning have the same tokens."""
    assert _tokens(same) == _tokens(FUNCTION)


@pytest.mark.parametrize(
    ("old", "new"),
    [("1.0", "1"), ("1.0", "True"), ("y[0]", "y[1]"), ("None", "x"), ("def f(x)", "def f(x, *y)")],
)
def test_what_has_a_meaning_does(old: str, new: str) -> None:
    """Numbers of another type included."""
    assert _tokens(FUNCTION.replace(old, new)) != _tokens(FUNCTION)


def test_decorators_and_defaults_of_a_function_are_left_out() -> None:
    """They were evaluated when it was defined; those of functions in it count."""

    def tokens(text: str) -> list[str]:
        function = ast.parse(text).body[0]
        assert isinstance(function, ast.FunctionDef)
        return list(function_tokens(function))

    inner = "def f(x=1):\n    def g(y=2): return y\n    return g(x)"
    assert tokens("@wrapped(1)\n" + inner.replace("x=1", "x=5")) == tokens(inner)
    assert tokens(inner.replace("y=2", "y=5")) != tokens(inner)


def test_tokens_are_those_of_every_version_of_python() -> None:
    """The very tokens: keys in stores depend on them."""
    assert _tokens("def f(x): return -x") == [
        "Module", ".body", "[1", "FunctionDef", ".name", "str", "'f'", ".args", "arguments",
        ".args", "[1", "arg", ".arg", "str", "'x'", "end", "end", ".body", "[1", "Return",
        ".value", "UnaryOp", ".op", "USub", "end", ".operand", "Name", ".id", "str", "'x'", "end",
        "end", "end", "end", "end",
    ]  # fmt: skip


def test_empty_parts_of_a_formatted_text_leave_no_trace() -> None:
    """Some releases of Python add them, others do not."""
    tree = ast.parse("def f(x, w):\n    return f'{x:{w}}'\n")
    before = list(tree_tokens(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            node.values.append(ast.Constant(""))
    assert list(tree_tokens(tree)) == before
