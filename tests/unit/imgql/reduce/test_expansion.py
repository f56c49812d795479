"""Tests of the foresight of expansions: it says what making all operations would say."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_text
from voxk8s.errors import InvalidProgram
from voxk8s.imgql.reduce import plan_builder

DOUBLED = """
let f0(x) = x
let f1(x) = f0(x + 1) * f0(x * 2)
let f2(x) = f1(x + 1) * f1(x * 2)
"""
WRITTEN = 'import "simpleitk"\nload f = "a.nii"\n'


def _answer(text: str) -> str:
    try:
        return f"{len(compile_text(text).plan.nodes)} nodes"
    except InvalidProgram as error:
        return str(error)


@pytest.mark.parametrize(
    "text",
    [
        f'{DOUBLED}print "x" f2(1) + f2(1)',
        f'{DOUBLED}let y = f1(2) + f2(3)\nprint "x" y\nprint "z" y + f0(y)',
        # Calls that differ in what is not used, or not at all, are one.
        'let f(x) = 1 + 2\nlet g(x) = f(x + 1) + f(x + 2)\nprint "x" g(3) + g(4)',
        'let k(a, b) = b\nlet g(x) = k(x + 1, x) + k(x + 2, x)\nprint "x" g(3) + g(4)',
        # The other one is computed, but not what is done with it.
        'let f(x) = if true then x else x + 1\nlet g(x) = x + 1 + 2\nprint "x" g(f(1)) + g(1)',
        'let f(x) = x + 1\nlet g(x) = f(f(f(x)))\nprint "x" g(g(1)) + f(1)',
        # Folds and loops over what a program spells out.
        'let g(x) = (fold + x [1, 2]) + x\nprint "x" g(1) + g(2) + g(3)',
        'print "x" fold + 0 (for x in [1, 2, 3] do fold * x (for y in [1, x] do x + y))',
        (
            "let s = for x in range(0, 3) do for y in range(1, 3) do x * y + 1\n"
            'print "a" fold + 0 s[1]\nprint "x" fold + 0 (for x in s do fold + 1 x)'
        ),
        (
            'let xs = for x in (for y in [1, 2, 3] do y + 1) do x * 2\nprint "x" fold + 0 xs\n'
            'print "y" fold * 1 xs'
        ),
        (
            f'{WRITTEN}let a = for i in range(3) do WriteImage(f, concat(i + 1, ".nii"))\n'
            'print "x" fold + 0 [1, 2]'
        ),
        # A loop whose items are alike, one that does not use them, and equal loops.
        'let f(x, y) = y * y + x\nprint "x" fold + 0 (for x in [2, 2, 2] do f(x, 1))',
        'print "x" fold + 0 (for x in [1, 2, 3] do 1 + 2 + 3)',
        'print "x" (fold + 0 (for x in [1, 2] do x + 3)) * fold + 0 (for y in [1, 2] do y + 3)',
    ],
)
def test_it_says_what_an_expansion_would(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a limit is exceeded, and where, for all limits."""
    answers = []
    for limit in range(1, 80, 3):
        monkeypatch.setattr("voxk8s.plan.expansion_limit._limit", limit)
        foreseen = _answer(text)
        with monkeypatch.context() as patch:
            patch.setattr(plan_builder, "first_excess", lambda *_, **__: None)
            assert foreseen == _answer(text)
        answers.append(foreseen)
    assert "expands to more than" in answers[0]
    assert answers[-1].endswith("nodes")


def test_of_folds_of_parts_it_foresees_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they expand to is counted when it is made; the limit is the same."""
    text = 'let g(x) = (fold + x [0, 1, 2][1:]) + x\nprint "x" g(1) + g(2) + g(3)'
    exceeded = []
    for limit in range(1, 30):
        monkeypatch.setattr("voxk8s.plan.expansion_limit._limit", limit)
        exceeded.append("expands to more than" in _answer(text))
    # In each call a sequence, its part, two items and two sums, and a sum; two sums of all.
    assert exceeded == [True] * 22 + [False] * 7


def test_a_program_of_twenty_lines_is_refused_without_its_operations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Six to the power of 20 of them, of which none is made."""
    monkeypatch.setattr("voxk8s.plan.expansion_limit._limit", 1000)
    monkeypatch.delattr(plan_builder.PlanBuilder, "apply")
    lines = "\n".join(
        f"let f{i}(x) = " + " + ".join(f"f{i - 1}(x + {k})" for k in range(6)) for i in range(1, 21)
    )
    answer = _answer(f'let f0(x) = x\n{lines}\nprint "x" f20(1)')
    assert "main.imgql:22:11" in answer
    assert "expands to more than 1,000 operations" in answer


@pytest.mark.parametrize(
    "goal",
    [
        'print "x" fold + 0 (for x in [{items}] do fold + 0 (for y in [{items}] do x * y))',
        'let g(x) = fold + x [{items}]\nprint "x" fold + 0 (for x in [{items}] do g(x))',
        (
            f"{WRITTEN}let a = for x in [{{items}}] do for y in [{{items}}] do"
            ' WriteImage(f, concat(x + y, ".nii"))'
        ),
    ],
)
def test_loops_over_many_items_are_refused_without_their_operations(
    goal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred times a hundred of them, of which none is made."""
    monkeypatch.setattr("voxk8s.plan.expansion_limit._limit", 1000)
    monkeypatch.delattr(plan_builder.PlanBuilder, "apply")
    answer = _answer(goal.format(items=", ".join(f"{number}.5" for number in range(100))))
    assert "expands to more than 1,000 operations" in answer
