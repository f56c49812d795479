"""Tests of size: large and deep programs are no trouble."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, compile_text
from voxk8s.imgql.reduce import plan_builder

MANY = 10_000


def _chain(count: int) -> str:
    lines = "\n".join(f"let a{i} = a{i - 1} + 1" for i in range(1, count))
    return f'let a0 = 1\n{lines}\nprint "x" a{count - 1}'


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (_chain(MANY), MANY),
        ("\n".join(f"let a{i} = {i}" for i in range(MANY)) + '\nprint "x" a7', 1),
        ('print "x" ' + " + ".join(["1"] * 3000), 3000),
        ('print "x" ' + "(" * 5000 + "1" + ")" * 5000, 1),
        ('print "x" ' + "[" * 2000 + "1" + "]" * 2000, 2001),
        ('print "x" ' + "floor(" * 2000 + "1" + ")" * 2000, 2001),
        ('print "x" ' + "floor " * 2000 + "1", 2001),
        ('print "x" ' + "".join(f"let a{i} = {i} in " for i in range(2000)) + "a3", 1),
        (
            "let f0(x) = x\n"
            + "\n".join(f"let f{i}(x) = f{i - 1}(x) + 1" for i in range(1, 5000))
            + '\nprint "x" f4999(1)',
            5000,
        ),
        ('print "x" fold + 0 range(5000)', 10001),
        ('print "x" ' + "".join(f"for x{i} in range(2) do " for i in range(60)) + "x0", None),
    ],
    ids=[
        "chain",
        "unused",
        "infix",
        "parentheses",
        "brackets",
        "calls",
        "prefixes",
        "let in",
        "functions",
        "fold",
        "loops",
    ],
)
def test_large_programs_compile(text: str, nodes: int | None) -> None:
    """Neither length nor depth of a program is bounded by the interpreter."""
    plan = compile_text(text).plan
    assert nodes is None or len(plan.nodes) == nodes


def test_many_errors_are_cut() -> None:
    """A program full of errors gives the first ones and a count."""
    message = compile_error("\n".join(f"let a{i} = foo{i}" for i in range(MANY)))
    assert message.count("unknown name") == 20
    assert f"and {MANY - 20} more errors" in message


def test_a_long_cycle_is_cut() -> None:
    """A cycle through thousands of definitions is named in one line."""
    text = "\n".join(f"let a{i} = a{(i + 1) % 5000}" for i in range(5000))
    message = compile_error(text)
    assert "`a0` is defined in terms of itself: a0 -> a1" in message
    assert len(message) < 400


def test_loops_and_local_definitions_end_in_each_other_to_any_depth() -> None:
    """A thousand forms inside each other, each the end of the one before, are no trouble."""
    loops = "".join(f"for x{i} in [1] do " for i in range(1000))
    assert len(compile_text(f'print "x" {loops}x999').plan.goals) == 1
    locals_ = "".join(f"let x{i} = 1 in " for i in range(1000))
    assert "unknown name `foo`" in compile_error(f'print "x" {locals_}for y in foo do y')


def test_errors_of_a_long_line_share_it() -> None:
    """So many errors in one long line take no more memory than the line and they."""
    found = check_text('print "x" 1\n' + "é§" * 1000)
    assert len(found) > 1000
    assert len({id(each.text) for each in found if each.line == 2}) == 1


def test_a_long_line_is_cut_around_its_mark() -> None:
    """The line of an error is shown as far as a terminal is wide."""
    message = compile_error('print "x" ' + "1 + " * 500 + "foo" + " + 1" * 500)
    assert max(map(len, message.splitlines())) < 120
    assert "foo" in message.splitlines()[1]
    mark = message.splitlines()[2].index("^^^")
    assert message.splitlines()[1][mark : mark + 3] == "foo"


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
def test_a_short_program_without_end_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What calls itself doubled again and again is told where it is asked for."""
    monkeypatch.setattr(plan_builder, "MAX_OPERATIONS", 1000)
    message = compile_error(text)
    assert "this expands to more than 1,000 operations" in message
    line = text.count("\n") + 1
    assert f"main.imgql:{line}:" in message
