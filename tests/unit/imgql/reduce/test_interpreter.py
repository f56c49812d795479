"""Tests of the interpreter: lazy, memoized evaluation."""

from __future__ import annotations

from tests.support.imgql import compile_text


def test_unused_arguments_are_not_evaluated() -> None:
    """An argument that a function does not use, however deep, is not in the plan."""
    text = 'let k(a, b) = a\nlet f(a, b) = k(a, b + 1)\nprint "x" f(1, mean([1, 2]))'
    assert len(compile_text(text).plan.nodes) == 1


def test_functions_are_memoized() -> None:
    """20 functions that call their predecessors six times do not take 6^20 steps."""
    calls = "\n".join(f"let f{i}(x) = " + " + ".join([f"f{i - 1}(x)"] * 6) for i in range(1, 21))
    assert len(compile_text(f'let f0(x) = x\n{calls}\nprint "a" f20(1)').plan.nodes) < 200


def test_calls_that_differ_in_unused_arguments_are_one() -> None:
    """Unused arguments are not part of the key of a call."""
    calls = "\n".join(
        f"let f{i}(x) = " + " + ".join(f"f{i - 1 - k % 2}(x + {k})" for k in range(6))
        for i in range(2, 21)
    )
    plan = compile_text(f'let f0(x) = 1\nlet f1(x) = 2\n{calls}\nprint "a" f20(1)').plan
    assert len(plan.nodes) < 200
