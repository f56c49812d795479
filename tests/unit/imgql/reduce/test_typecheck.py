"""Tests of static checks: what can never work is refused before anything runs."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, value

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
        ("(1 < 2) & true", "did you mean `.&.`?"),
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
def test_clashes_are_refused(text: str, message: str | None) -> None:
    """The message says which argument, what it must be and what it is."""
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
def test_what_may_work_is_accepted(text: str) -> None:
    """Types that are not known before the run are no errors."""
    assert value(text)


@pytest.mark.parametrize(("file", "value"), [("a.nii.gz", "3"), ("a.PNG", "[img]")])
def test_only_images_are_saved_as_images(file: str, value: str) -> None:
    """A number in an image's file is told at the name of the file."""
    assert f"4:6: error: a {file[1:].lower()} file holds an image, not a" in compile_error(
        f'{HEAD}save "a.json" {value}\nsave "{file}" {value}'
    )


def test_images_are_saved_as_images_only() -> None:
    """A suffix that no image has is refused with those that there are; what is not known passes."""
    message = compile_error(f'{HEAD}save "x.foo" img')
    assert "3:6: error: an image cannot be saved as .foo" in message
    assert "image formats are .nii, .nii.gz, .mha" in message
    for line in ('save "x.TXT" img', 'save "x" img', 'save "x.json" img', 'save "x.foo" 1'):
        assert not check_text(f"{HEAD}{line}")


def test_a_clash_in_a_function_names_the_call() -> None:
    """The place is in the function, and the hint says who called it with the wrong type."""
    message = compile_error(f'{HEAD}let f(m, r) = smoothen(r, m)\nprint "x" f(img, 3)')
    assert (
        "main.imgql:3:15: error: argument 1 of `smoothen` must be a mask, not a number" in message
    )
    assert "help: called from main.imgql:4:11" in message


def test_a_clash_in_the_library_is_told_where_it_is_used() -> None:
    """A wrong argument of a library function has the place of the program."""
    message = compile_error('import "stdlib.imgql"\nprint "x" N 3')
    assert "main.imgql:2:11: error: the argument of `near` must be a mask" in message


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("img < 3", "lt_sv(3.0, load('a.nii'))"),
        ("3 < img", "gt_sv(3.0, load('a.nii'))"),
        ("img >= 3", "geq_sv(3.0, load('a.nii'))"),
        ("3 >= img", "leq_sv(3.0, load('a.nii'))"),
        ("img == 3", "eq_sv(3.0, load('a.nii'))"),
        ("img > volume(img)", "gt_sv(volume(load('a.nii')), load('a.nii'))"),
        ("(for n in [1] do img > n)", "map({gt_sv(item, c0) | c0=load('a.nii')}, sequence(1.0))"),
    ],
)
def test_an_image_compared_with_a_number_is_a_mask(text: str, kernel: str) -> None:
    """The plain signs mean what the dotted ones do: the oldest programs have no others."""
    assert value(text) == kernel


def test_comparisons_without_a_known_type_may_be_masks() -> None:
    """A function may compare what its callers give it: numbers here, images there."""
    head = f"{HEAD}let f(a) = a > 3\nlet g(a) = near(f(a))\n"
    assert not check_text(f'{head}print "x" g(img)\nprint "y" f(4) && true')
    assert "must be a mask, not a truth value" in compile_error(f'{head}print "x" g(4)')


def test_functions_that_nobody_calls_are_checked() -> None:
    """A clash that does not depend on arguments is found in any body."""
    found = check_text(f"{HEAD}let f(a) = near(3) | a")
    assert [each.line for each in found] == [3]


def test_a_clash_in_a_mixed_chain_is_told_with_its_grouping() -> None:
    """Whoever expects precedence learns that there is none; other warnings are left out."""
    message = compile_error(
        'import "vox1"\nload a = "a"\nlet b = 1 + 2 * 3\nprint "x" a >. 1 & border'
    )
    assert "4:18: error: the left operand of `&` must be a mask, not a number" in message
    assert "`>.` and `&` are mixed without parentheses" in message
    assert "`+` and `*`" not in message


def test_nothing_follows_from_an_operator_that_does_not_fit() -> None:
    """What it would have given is not known, so no further clash is told."""
    text = HEAD + 'let a = img > 3 & border\nprint "x" volume(a)'
    errors = [each for each in check_text(text) if each.severity == "error"]
    assert [(each.line, each.column) for each in errors] == [(3, 17)]


def test_a_clash_inside_of_the_library_names_what_the_program_called() -> None:
    """The kernel is none that the program has named."""
    message = compile_error(HEAD + 'print "x" volume(ifB(img >. 3, tt, ff))')
    assert "3:18: error: the argument of `bconstant` must be a truth value, not a mask" in message
    assert "help: used by `ifB`" in message
    deep = compile_error(HEAD + 'print "x" volume(overlayB(3, img, img))')
    assert "help: used by `overlayB`" in deep
