"""Tests of operands: folds, maps and local definitions."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_error, compile_text, goal_text, value_text


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("fold + range(3)", "fold + 0 range(3)"),
        ("fold * [2, 3]", "fold * 1 [2, 3]"),
        ("fold && [true]", "fold && true [true]"),
        ("fold || [true]", "fold || false [true]"),
        ("fold + for k in [1, 2] do k", "fold + 0 for k in [1, 2] do k"),
        ("fold + [range(3)][0][0:2]", "fold + 0 ([range(3)][0][0:2])"),
    ],
)
def test_a_fold_without_an_initial_value_begins_with_the_neutral_one(text: str, plan: str) -> None:
    """Sums begin with 0, products with 1, and so on; the rest is the sequence."""
    assert value_text(text) == value_text(plan)


def test_map_is_a_loop() -> None:
    """`map(f, xs)` applies a function of the program, a local one or a kernel to each item."""
    head = "let twice(a) = a * 2\n"
    for text, loop in [
        ("map(twice, range(3))", "for k in range(3) do twice(k)"),
        ("map(floor, [1.5])", "for k in [1.5] do floor(k)"),
        ("default.map(floor, [1.5])", "for k in [1.5] do floor(k)"),
        ("let n = mean [3] in let f(a) = a + n in map(f, [1])", "for k in [1] do k + mean [3]"),
    ]:
        assert goal_text(f'{head}print "x" {text}') == goal_text(f'{head}print "x" {loop}')


def test_map_may_be_a_name_of_the_program() -> None:
    """A definition hides the form."""
    assert goal_text('let map(a, b) = a - b\nprint "x" map(3, 2)') == "subtraction(3.0, 2.0)"


def test_forms_nest_to_any_depth() -> None:
    """A thousand nested loops or local definitions compile."""
    loops = "".join(f"for x{i} in [1] do " for i in range(1000))
    assert len(compile_text(f'print "x" {loops}x999').plan.goals) == 1
    locals_ = "".join(f"let x{i} = 1 in " for i in range(1000))
    assert "unknown name `foo`" in compile_error(f'print "x" {locals_}for y in foo do y')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("let a = (1, 2)", "expected one expression in these parentheses"),
        ("let f(a, a) = a", "duplicate parameter `a`"),
        ("let a = 1e999", "this number is too large"),
        ("let a = [1:2]", "expected a sequence before this slice"),
        ("let a = range(3)[1, 2]", "expected one index in these brackets"),
        (
            "let a = fold mean 0 [1]",
            "`fold` takes a function of two arguments, but `mean` takes 1 argument",
        ),
        ("let a = fold + 0", "`fold` takes an operator, an initial value and a sequence"),
        ("let a = fold mean [1]", "`fold` takes an operator, an initial value and a sequence"),
        ("let a = fold 1 2 [3]", "expected an operator or a function after `fold`"),
        ("let a = map([1], mean)", "`map` takes the name of a function and a sequence"),
        ("let a = map(mean)", "`map` takes the name of a function and a sequence"),
        ("let a = map(range, 3, 4)", "`map` takes the name of a function and a sequence"),
        (
            "let b = 3\nlet a = map(b, [1])",
            "`map` takes a function of one argument, but `b` is a value",
        ),
        (
            "let a = map(index, [1])",
            "`map` takes a function of one argument, but `index` takes 2 arguments",
        ),
        ("let a = map(foo, [1])", "unknown name `foo`"),
    ],
)
def test_a_wrong_operand_is_reported(text: str, message: str) -> None:
    """The message says what the syntax expects."""
    assert message in compile_error(text)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("range(9)[5:]", "subsequence(range(9.0), 5.0)"),
        ("range(9)[:]", "subsequence(range(9.0), 0.0)"),
        ("fold + range(2, 5)[1:]", "addition(addition(0.0, 3), 4)"),
        (
            "if volume(img) > 3 then 1 else 2",
            "sequences.choose(greater(volume(load('a.nii')), 3.0), 1.0, 2.0)",
        ),
        ("if true then 1 else 1 / 0", "1.0"),
        ("1 + if false then 1 else 2 + 3", "addition(1.0, addition(2.0, 3.0))"),
        ("near (if true then img else tt)", "near(load('a.nii'))"),
        (
            "filter x in [1, 2] do x > 1",
            "sequences.keep(sequence(1.0, 2.0), map({greater(item, 1.0)}, sequence(1.0, 2.0)))",
        ),
        ("fold + filter x in [1, 2] do true", "addition(addition(0.0, 1.0), 2.0)"),
        ("fold max [1, 2]", "max(sequence(1.0, 2.0))"),
        ("fold min 3 [1, 2]", "min(sequence(min(sequence(3.0, 1.0)), 2.0))"),
        ("fold && [true]", "both(True, True)"),
        ("filter(1)", None),
    ],
)
def test_forms_of_sequences_and_choices(text: str, plan: str | None) -> None:
    """Slices with open ends, `if`, `filter`, and folds without a first value."""
    if plan is None:
        assert "unknown name `filter`" in compile_error(f"let a = {text}")
    else:
        assert value_text(text) == plan


def test_a_program_may_define_the_words_of_if() -> None:
    """Programs of earlier versions may have a function of this name."""
    text = 'let if(c, then, else) = [c, then, else]\nprint "x" if(1, 2, 3)'
    assert goal_text(text) == "sequence(1.0, 2.0, 3.0)"
    assert goal_text('let max(a, b) = a\nprint "x" fold max 1 [2]') == "1.0"
