"""Tests of expressions: grouping, prefixes, names and arities."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, goal_text, value


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("10-4-3", "subtraction(10.0, subtraction(4.0, 3.0))"),
        ("(10-4)-3", "subtraction(subtraction(10.0, 4.0), 3.0)"),
        ("-3", "-3.0"),
        ("2 - -3", "subtraction(2.0, -3.0)"),
        ("2--3", "subtraction(2.0, -3.0)"),
        ("2*-3", "multiplication(2.0, -3.0)"),
        ("-.5", "-0.5"),
        ("-(2 + 1)", "subtraction(0.0, addition(2.0, 1.0))"),
        ("+(1, 2)", "addition(1.0, 2.0)"),
        ('[1, true, "a"]', "sequence(1.0, True, 'a')"),
        ("[]", "sequence"),
        ("[1, 2][0]", "index(sequence(1.0, 2.0), 0.0)"),
        ("[1, 2] [0]", "index(sequence(1.0, 2.0), 0.0)"),
        ("range(9)[2:5]", "subsequence(range(9.0), 2.0, 3.0)"),
        ("range(9)[:5]", "subsequence(range(9.0), 0.0, 5.0)"),
        (
            "range(9)[1:mean[1]]",
            "subsequence(range(9.0), 1.0, subtraction(mean(sequence(1.0)), 1.0))",
        ),
        ("[range(3)][0][1:2]", "subsequence(index(sequence(range(3.0)), 0.0), 1.0, 1.0)"),
        ("mean [1, 2]", "mean(sequence(1.0, 2.0))"),
        ("floor -2.5", "floor(-2.5)"),
        ("near !img", "near(not(load('a.nii')))"),
        ("near img | img", "or(near(load('a.nii')), load('a.nii'))"),
        ("img|!img", "or(load('a.nii'), not(load('a.nii')))"),
        ("img ~> near img", "through(near(load('a.nii')), load('a.nii'))"),
        ("img >. 3", "gt_sv(3.0, load('a.nii'))"),
        ("3 .< img", "gt_sv(3.0, load('a.nii'))"),
        ("vox1.near(img)", "near(load('a.nii'))"),
        ("1 < 2 && true", "less(1.0, both(2.0, True))"),
        ('"a \\" b \\\\ c \\d"', "'a \" b \\\\ c \\\\d'"),
    ],
)
def test_expressions(text: str, plan: str) -> None:
    """An expression becomes the operations that the language defines."""
    assert value(text) == plan


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
def test_a_fold_without_a_first_value_begins_with_the_neutral_one(text: str, plan: str) -> None:
    """Sums begin with 0, products with 1, and so on; what stands behind is the sequence."""
    assert value(text) == value(plan)


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


def test_operators_take_further_arguments_in_brackets() -> None:
    """In `a OP[c, d] b` they come third and fourth; other brackets are operands."""
    head = "let @(a, b, c, d) = [a, b, c, d]\nlet @(a, b) = a * b\nlet AND(a, b) = a + b\n"
    for text, plan in [
        ("1 @[3, 4] 2", "sequence(1.0, 2.0, 3.0, 4.0)"),
        ("1 @ [3, 4] (2)", "sequence(1.0, 2.0, 3.0, 4.0)"),
        ("5 - 1 @[3, 4] 2", "subtraction(5.0, sequence(1.0, 2.0, 3.0, 4.0))"),
        ("1 @ [3, 4]", "multiplication(1.0, sequence(3.0, 4.0))"),
        (
            "1 @ [3, 4] AND 2",
            "multiplication(1.0, addition(sequence(3.0, 4.0), 2.0))",
        ),
        ("1 + [3, 4][0]", "addition(1.0, index(sequence(3.0, 4.0), 0.0))"),
    ]:
        assert goal_text(f'{head}print "x" {text}') == plan


def test_definitions_become_operators() -> None:
    """One parameter makes a prefix operator, two an infix one; names may have dots and capitals."""
    text = """
let NEG(a) = 0 - a
let +?(a, b) = (a + b) / 2
let .avg.(a, b) = +?(a, b)
let AND(a, b) = a * b
print "a" NEG 11
print "b" NEG NEG 1 +? 2
print "c" 1 .avg. 2
print "d" 3 AND NEG 4
"""
    # A dotted word is no operator sign, so the third definition is a mistake.
    assert "expected" in compile_error(text)
    assert goal_text(text.replace(".avg.", ".+?.")) == "\n".join(
        [
            "subtraction(0.0, 11.0)",
            "division(addition(subtraction(0.0, subtraction(0.0, 1.0)), 2.0), 2.0)",
            "division(addition(1.0, 2.0), 2.0)",
            "multiplication(3.0, subtraction(0.0, 4.0))",
        ]
    )


def test_an_operator_may_have_one_meaning_a_side() -> None:
    """A definition of a prefix operator leaves the infix one as it is."""
    text = 'let -(a) = a * 2\nprint "a" 3 - 1\nprint "b" - (1 + 1)'
    assert goal_text(text) == "subtraction(3.0, 1.0)\nmultiplication(addition(1.0, 1.0), 2.0)"


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


def test_later_definitions_hide_earlier_ones() -> None:
    """A name means the last definition before it."""
    text = 'let a = 1\nlet b = a\nlet a = a + 1\nprint "x" a\nprint "y" b'
    assert goal_text(text) == "addition(1.0, 1.0)\n1.0"


def test_definitions_hide_kernels() -> None:
    """After a definition its name no longer means the kernel; inside it still does."""
    text = 'print "a" floor(1)\nlet floor(x) = floor(x) + 1\nprint "b" floor(2)'
    assert goal_text(text) == "floor(1.0)\naddition(floor(2.0), 1.0)"


def test_definitions_may_stand_below_their_use() -> None:
    """A name that nothing above defines means what stands below."""
    assert goal_text('let a = b + 1\nlet b = 2\nprint "x" a') == "addition(2.0, 1.0)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("let a = nowhere", "1:9: error: unknown name `nowhere`"),
        ("let a = meen([1])", "did you mean `mean`?"),
        ("let abcd = 1\nlet b = abdc", "did you mean `abcd`?"),
        ("let a = near(1)", 'help: import "vox1"'),
        ("let a = 1 .<= 2", 'help: import "vox1"'),
        ("let a = N 1", 'help: import "stdlib.imgql"'),
        ("let a = mean(1, 2)", "`mean` takes 1 argument, found 2"),
        ("let a = range()", "`range` takes 1 or 2 arguments, found none"),
        ("let f(a) = a\nlet b = f", "`f` takes 1 argument, found none"),
        ("let f(a, b) = a\nlet c = f(1)", "signature: f(a, b), defined at main.imgql:1:5"),
        ("let v = 1\nlet b = v(2)", "`v` is a value, not a function"),
        ("let v = [1]\nlet b = v(0)", "write v[i] for an item of a sequence"),
        ("let f(a) = a(1)", "`a` is a value, not a function"),
        ("let a = 1 2", "1:11: error: expected an operator between two expressions"),
        ("let a = (1, 2)", "expected one expression in these parentheses"),
        ("let a = * 2", "expected an operand before `*`"),
        ("let f(a, a) = a", "duplicate parameter `a`"),
        ("let a = 1e999", "this number is too large"),
        ("let a = range(3)[1:]", "expected an end of this slice"),
        ("let a = range(3)[1, 2]", "expected one index in these brackets"),
        (
            "let a = fold mean 0 [1]",
            "`fold` takes a function of two arguments, but `mean` takes 1 argument",
        ),
        ("let a = fold + 0", "`fold` takes an operator, an initial value and a sequence"),
        ("let a = fold mean [1]", "`fold` takes an operator, an initial value and a sequence"),
        ("let a = map([1], mean)", "`map` takes the name of a function and a sequence"),
        ("let a = map(mean)", "`map` takes the name of a function and a sequence"),
        ("let a = map(range, 3, 4)", "`map` takes the name of a function and a sequence"),
        (
            "let b = 3\nlet a = map(b, [1])",
            "`map` takes a function of one argument, but `b` is a value",
        ),
        ("let a = map(index, [1])", "`map` takes a function of one argument, but `index` takes 2"),
        ("let a = map(foo, [1])", "unknown name `foo`"),
        ('save "" 1', "expected a file name, found an empty string"),
    ],
)
def test_mistakes_are_explained(text: str, message: str) -> None:
    """A mistake is refused with its place and what to do."""
    assert message in compile_error(text)


def test_bodies_are_checked_even_if_never_called() -> None:
    """Unknown names in a function that nobody calls are errors."""
    assert "unknown name `foo`" in compile_error('let f(x) = x + foo\nprint "a" 1')


def test_all_mistakes_are_told_in_the_order_of_the_program() -> None:
    """One run gives every mistake."""
    found = check_text("let a = foo + bar\nlet b = mean(1, 2)\nlet c = baz")
    assert [(each.line, each.column) for each in found] == [(1, 9), (1, 15), (2, 9), (3, 9)]


def test_mixed_operators_are_a_warning() -> None:
    """A chain that mixes operators without parentheses says how it groups."""
    (warning,) = check_text("let a = 1 - 2 * 3")
    assert warning.severity == "warning"
    assert (warning.line, warning.column) == (1, 15)
    assert "a - (b * c)" in str(warning)
    assert check_text("let a = 1 - 2 - 3") == ()
    assert check_text("let a = 1 - (2 * 3)") == ()


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("fold + 0 [1, 2]", "addition(addition(0.0, 1.0), 2.0)"),
        ("fold - 10 range(2)", "subtraction(subtraction(10.0, 0), 1)"),
        ("fold + -1 [1]", "addition(-1.0, 1.0)"),
        ("fold + (1 + 1) [1]", "addition(addition(1.0, 1.0), 1.0)"),
        ("fold + floor(2) [1]", "addition(floor(2.0), 1.0)"),
        (
            "fold + 0 for i in [1, 2] do i * i",
            "addition(addition(0.0, multiplication(1.0, 1.0)), multiplication(2.0, 2.0))",
        ),
        ("fold + 0 [4, 6] / 2", "addition(addition(0.0, division(4.0, 2.0)), division(6.0, 2.0))"),
        ("fold * 1 range(5)[1:3]", "multiplication(multiplication(1.0, 1), 2)"),
        ("1 + fold + 0 []", "addition(1.0, 0.0)"),
        (
            "let k = 3 in let f(a, b) = a + b * k in fold f 0 [1]",
            "addition(0.0, multiplication(1.0, 3.0))",
        ),
    ],
)
def test_folds_over_known_sequences_are_written_out(text: str, plan: str) -> None:
    """`fold` goes from the left; init is an atom or in parentheses."""
    assert value(text) == plan


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        (
            'fold + 0 (for f in dir("d") do volume(load f))',
            (
                "fold({addition(accumulator, item) | accumulator=0.0},"
                " map({volume(load(item))}, dir('d')))"
            ),
        ),
        (
            'let k = volume(img) in let f(a, b) = a + (b * k) in fold f 0 argsort(dir("d"))',
            (
                "fold({addition(accumulator, multiplication(item, c0))"
                " | c0=volume(load('a.nii')), accumulator=0.0}, argsort(dir('d')))"
            ),
        ),
        (
            'for k in range(2) do fold + k argsort(dir("d"))',
            (
                "map({fold({addition(accumulator, item) | accumulator=item}, c0)"
                " | c0=argsort(dir('d'))}, range(2.0))"
            ),
        ),
        (
            'let first(a, b) = a in fold first 7 dir("d")',
            "fold({accumulator | accumulator=7.0}, dir('d'))",
        ),
        (
            'let last(a, b) = b in fold last 7 dir("d")',
            "fold({item | accumulator=7.0}, dir('d'))",
        ),
        (
            "fold + 0 range(1000000)",
            "fold({addition(accumulator, item) | accumulator=0.0}, range(1000000.0))",
        ),
    ],
)
def test_a_fold_over_an_unknown_sequence_is_left_to_the_plan(text: str, plan: str) -> None:
    """The function becomes a closure that captures its first value; any function can be one."""
    assert value(text) == plan


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            'fold & tt (for f in dir("d") do near(load(f)))',
            "tt(index(map({load(item)}, dir('d')), 0.0))",
        ),
        ('fold | ff (for k in argsort(dir("d")) do img >. k)', "ff(load('a.nii'))"),
        ('fold + (x + 1) argsort(dir("d"))', "addition(x(load('a.nii')), 1.0)"),
    ],
)
def test_geometry_as_the_first_value_of_a_fold_is_that_of_the_items(text: str, first: str) -> None:
    """It is bound to the image that the first item got its geometry from, if that is an image."""
    assert f"accumulator={first}}}" in value(text)


def test_a_value_cannot_have_the_name_of_an_operator() -> None:
    """Nobody could use it: an operator is always applied to something."""
    for line in ("let @@ = 5", "let @@() = 5"):
        assert "1:5: error: `@@` is an operator: expected one or two" in compile_error(line)
