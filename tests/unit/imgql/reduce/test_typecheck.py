"""Tests of type checks: what can never succeed is refused before anything runs."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, value_text

HEAD = 'import "vox1"\nload img = "a.nii"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("near(5)", "the argument of `near` must be a mask, not a number"),
        ("smoothen(5, img)", "argument 1 of `smoothen` must be a mask, not a number"),
        ('near("a")', "the argument of `near` must be a mask, not a string"),
        ("load(3)", "the argument of `load` must be a string, not a number"),
        ("mean(3)", "the argument of `mean` must be a sequence, not a number"),
        ("img + 1 .<. 2", None),
        ("img .> 3", "did you mean `>.`?"),
        ("3 >. img", "did you mean `.>`?"),
        ("3 >. 4", "did you mean `.>.` or `>`?"),
        ("volume(img) >. 4", "the left operand of `>.` must be an image, not a number"),
        ("near(volume img)", "must be a mask, not a number"),
        ('true && "a"', "the right operand of `&&` must be a truth value, not a string"),
        ("for x in volume(img) do x", "`for` needs a sequence, not a number"),
        ("fold + 0 volume(img)", "`fold` needs a sequence, not a number"),
        ('for f in dir("d") do near f', "must be a mask, not a string"),
        ("near([img, img])", "must be a mask, not a sequence"),
        ("near(range(3)[0])", "must be a mask, not a number"),
        ("near(1 + 2)", "must be a mask, not a number"),
        ("(1 < 2) & true", None),
        ("(1 < 2) & img", "the left operand of `&` must be a mask, not a truth value"),
        ("img .+. 3", "did you mean `+.` or `+`?"),
        ("3 + (img .*. 2)", "the left operand of `.*.` must be a number, not an image"),
        ('load("a.NII.gz") .+. 3', "the left operand of `.+.` must be a number, not an image"),
        ('load(["a.png", "b.png"][0]) .+. 3', "must be a number, not an image"),
        ('(for f in ["a.png"] do load f)[0] .+. 3', "must be a number, not an image"),
        ("img < img", "the left operand of `<` must be a number or a string, not an image"),
        ('img < "a"', "the left operand of `<` must be a number or a string, not an image"),
        ("3 .<. (img < 3)", "the right operand of `.<.` must be a number, not a mask"),
        ("img && img", "did you mean `&`?"),
        ('3 < "a"', "the right operand of `<` must be a number, not a string"),
        ('img + "a"', "the right operand of `+` must be a number, an image or a sequence"),
        ('"a" .+. 3', "the left operand of `.+.` must be a number, not a string"),
    ],
)
def test_type_errors_are_refused(text: str, message: str | None) -> None:
    """The message says which argument, its expected type and its type."""
    if message is not None:
        assert message in compile_error(f'{HEAD}print "x" {text}')


@pytest.mark.parametrize(
    "text",
    [
        "near(img)",
        "near([img, img][0])",
        '(for f in dir("d") do volume(load f))[0] + 1',
        "(range(3) + 1) / 2",
        "img * (1 + 2)",
        "avg(img, img >. 3) .<. 4",
        "fold + 0 (for k in range(3) do volume(img >. k))",
        "fold | img [img]",
        "range(true)",
        'load("scores.json") .+. 3',
        'load("scores") .+. 3',
        'near(load("mask.png"))',
        '(for f in dir("d") do load f)[0] .+. 3',
        "img == [3]",
        'load("a.json") == img',
        '"a" < "b"',
        "img + [1, 2]",
    ],
)
def test_what_may_succeed_is_accepted(text: str) -> None:
    """Types that are not known before the run are not errors."""
    assert value_text(text)


def test_a_loop_over_a_number_is_refused() -> None:
    """`for x in 3` can never succeed."""
    assert "1:11: error: `for` needs a sequence, not a number" in compile_error(
        'print "a" for x in 3 do x'
    )


@pytest.mark.parametrize(("file", "value"), [("a.nii.gz", "3"), ("a.PNG", "[img]")])
def test_only_images_are_saved_as_images(file: str, value: str) -> None:
    """A number in an image file is reported at the name of the file."""
    assert f"4:6: error: a {file[1:].lower()} file holds an image, not a" in compile_error(
        f'{HEAD}save "a.json" {value}\nsave "{file}" {value}'
    )


def test_images_are_saved_as_images_only() -> None:
    """Another suffix is refused with a list of formats; types that are not known are accepted."""
    message = compile_error(f'{HEAD}save "x.foo" img')
    assert "3:6: error: an image cannot be saved as .foo" in message
    assert "image formats are .nii, .nii.gz, .mha" in message
    for line in ('save "x.TXT" img', 'save "x.json" img'):
        assert not check_text(f"{HEAD}{line}")


def test_a_type_error_in_a_function_has_its_call() -> None:
    """The place is in the function; the hint is the call with the wrong type."""
    message = compile_error(f'{HEAD}let f(m, r) = smoothen(r, m)\nprint "x" f(img, 3)')
    assert (
        "main.imgql:3:15: error: argument 1 of `smoothen` must be a mask, not a number" in message
    )
    assert "help: called from main.imgql:4:11" in message


def test_a_type_error_in_a_library_is_reported_where_it_is_used() -> None:
    """A wrong argument of a library function has the place of the program."""
    message = compile_error('import "stdlib.imgql"\nprint "x" N 3')
    assert "main.imgql:2:11: error: the argument of `near` must be a mask" in message


def test_functions_that_are_never_called_are_checked() -> None:
    """A type error that does not depend on arguments is found in any body."""
    found = check_text(f"{HEAD}let f(a) = near(3) | a")
    assert [each.line for each in found] == [3]


def test_a_type_error_in_a_mixed_chain_comes_with_its_warning() -> None:
    """Only the warning of the same line is shown."""
    message = compile_error(
        'import "vox1"\nload a = "a"\nlet b = 1 + 2 * 3\nprint "x" a >. 1 & border'
    )
    assert "4:18: error: the left operand of `&` must be a mask, not a number" in message
    assert "`>.` and `&` are mixed without parentheses" in message
    assert "`+` and `*`" not in message


def test_a_wrong_operand_has_no_consequences() -> None:
    """The type of the result is not known then, so no further error is reported."""
    text = HEAD + 'let a = img > 3 & border\nprint "x" volume(a)'
    errors = [each for each in check_text(text) if each.severity == "error"]
    assert [(each.line, each.column) for each in errors] == [(3, 17)]


def test_a_type_error_inside_a_library_has_the_function_called() -> None:
    """The kernel itself is not in the program."""
    message = compile_error(HEAD + 'print "x" volume(ifB(img >. 3, tt, ff))')
    assert "3:18: error: the argument of `bconstant` must be a truth value, not a mask" in message
    assert "help: used by `ifB`" in message
    deep = compile_error(HEAD + 'print "x" volume(overlayB(3, img, img))')
    assert "help: used by `overlayB`" in deep
