"""Tests of files that expressions write."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, compile_text, expression

IMAGE = 'import "simpleitk"\nimport "strings"\nload img = "a.nii.gz"\n'


def files_of(text: str, **options: dict[str, str]) -> list[str]:
    """Return the files that a program saves."""
    plan = compile_text(IMAGE + text, **options).plan  # type: ignore[arg-type] # files and parameters
    return [goal.name for goal in plan.goals if goal.operation == "save"]


def test_names_are_put_together_before_the_run() -> None:
    """From texts, numbers, parameters and the program's own name."""
    text = 'r = WriteImage(img, concat("out/", $stem, "/", format_string("{:.0f}", 7 - 4), ".nii"))'
    assert files_of(text) == ["out/main/3.nii"]


def test_a_loop_writes_a_file_for_each_item() -> None:
    """Also by functions that it calls, and what is bound to a name that nothing uses."""
    text = """
        save_case(case, i) =
          let id = index(case, 0) in
          let _ = WriteImage(index(case, 1), concat(id, "_image.nii")) in
          WriteImage(img, concat(id, format_string("_{:.0f}.nii", i + 1)))
        cases = [["a", img], ["b", img +. 1]]
        saved = for i in range(0, 4 - 2) do save_case(index(cases, i), i)
        print "saved" saved
    """
    assert files_of(text) == ["a_image.nii", "a_1.nii", "b_image.nii", "b_2.nii"]


def test_images_of_a_folder_are_written_by_their_positions() -> None:
    """Their names are known only at run time, their positions before."""
    text = 's = for i in range(0, 2) do WriteImage(load(dir("in")[i]), concat(i, ".nii"))'
    assert files_of(text) == ["0.nii", "1.nii"]


def test_geometry_is_that_of_loaded_images() -> None:
    """As it is for other goals."""
    compiled = compile_text(IMAGE + 'import "vox1"\nr = WriteImage(border, "b.nii")')
    (goal,) = compiled.plan.goals
    assert goal.id in {node.id for node in compiled.plan.nodes.values()}
    assert "load" in [getattr(node, "operator", "") for node in compiled.plan.nodes.values()]


def test_a_call_that_is_made_twice_writes_one_file() -> None:
    """The same image under the same name, from two places of one function."""
    text = 'w(i) = WriteImage(img, "a.nii")\nr = [w(1), w(2)]'
    assert files_of(text) == ["a.nii"]


def test_values_are_printed_inside_of_expressions() -> None:
    """Under labels that are put together; the value is the label."""
    text = """
        show(i) = print_primitive(concat("item ", i), i * 2)
        shown = for i in range(0, 2) do show(i)
        save "shown.json" shown
    """
    plan = compile_text(IMAGE + text).plan
    assert [(goal.operation, goal.name) for goal in plan.goals] == [
        ("save", "shown.json"),
        ("print", "item 0"),
        ("print", "item 1"),
    ]
    assert expression(plan.nodes, plan.goals[0].id) == "sequence('item 0', 'item 1')"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('r = if true then print_primitive("a", 1) else "b"', "choose the value instead"),
        ('r = recover(print_primitive("a", 1), "b")', "print what is recovered"),
        ("r = print_primitive(1, 2)", "must be a string, not a number"),
        ('r = print_primitive("a")', "takes a label and a value, found 1 arguments"),
        ('r = print_primitive(dir("a")[0], 2)', "the name of this result is known only at run"),
    ],
)
def test_values_that_a_plan_cannot_promise_to_print(text: str, message: str) -> None:
    """Or calls of another form."""
    assert message in " ".join(compile_error(text).split())


def test_prints_that_are_never_reached_or_show_little() -> None:
    """A warning, since they may be meant for others, as in a library."""
    (warning,) = check_text('show(x) = print_primitive(x, x)\nprint "a" 1')
    assert "nothing calls the function that prints this" in warning.message
    (warning,) = check_text('r = print_primitive("a", load("a.nii"))')
    assert "only a summary of an image is printed" in warning.message


def test_functions_of_imported_files_need_not_be_called() -> None:
    """They are there for those who need them."""
    files = {"own.imgql": 'keep(x) = WriteImage(x, "a.nii")\nother = 1'}
    assert files_of('import "own.imgql"\nprint "a" other', files=files) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('r = WriteImage(img, dir("in")[0])', "the name of this file is known only at run time"),
        ('r = for p in dir("in") do WriteImage(load(p), p)', "a file is written for each item"),
        ('w(x) = WriteImage(x, "a.nii")\nprint "a" 1', "this file is never written"),
        ('r = if 1 > 0 then WriteImage(img, "a.nii") else "no"', "inside of `if`"),
        ('w(x) = WriteImage(x, "a.nii")\nr = recover(w(img), "no")', "inside of `recover`"),
        ('r = WriteImage(img, "a.csv")', 'an image cannot be saved as "a.csv"'),
        ('r = WriteImage(img, "a.nii")\ns = WriteImage(img, "./a.nii")', "is already saved at"),
        ('save "a.nii" img\ns = WriteImage(img, "a.nii")', "is already saved at"),
        ('r = WriteImage(1, "a.nii")', "must be an image, not a number"),
        ("r = WriteImage(img, 1)", "must be a string, not a number"),
        ("r = WriteImage(img)", "takes an image and the name of a file, found 1"),
        ("r = for x in [img] do WriteImage", "unknown name `WriteImage`"),
        ("s = fold + 0 dir(WriteImage(img, img))", "must be a string, not an image"),
    ],
)
def test_what_cannot_be_a_goal_is_refused(text: str, message: str) -> None:
    """With the reason, the place and the way around."""
    found = " ".join(compile_error(IMAGE + text).split())
    assert message in found
    assert "help: " in found or "argument" in found


def test_a_fold_over_items_of_the_run_cannot_write_them() -> None:
    """Nor the images that it makes of them."""
    text = 's = fold f 0 dir("in")\nf(a, p) = let b = WriteImage(load(p), "a.nii") in a + 1'
    assert "a file is written for each item here" in compile_error(IMAGE + text)


def test_the_place_of_a_file_that_cannot_be_written_is_the_call() -> None:
    """With the call that led there."""
    (found,) = [
        each
        for each in check_text(IMAGE + 'w(p) = WriteImage(img, p)\nr = w(dir("in")[0])')
        if each.severity == "error"
    ]
    assert (found.line, found.column) == (4, 8)
    assert any("called from main.imgql:5:5" in hint for hint in found.hints)


def test_a_definition_of_the_program_has_the_name() -> None:
    """Then it is no goal."""
    assert files_of('WriteImage(a, b) = b\nprint "x" WriteImage(img, "a.nii")') == []
