"""Tests of nullary geometry: it takes the geometry of the image it meets."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_error, compile_text, goal_text, value
from voxk8s.kernels import registry
from voxk8s.plan import decode, encode

IMG = "load('a.nii')"


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("border & img", f"and(border({IMG}), {IMG})"),
        ("img & border", f"and({IMG}, border({IMG}))"),
        ("(x >. 3) & img", f"and(gt_sv(3.0, x({IMG})), {IMG})"),
        (
            "(x + y) + (z + img)",
            f"addition(addition(x({IMG}), y({IMG})), addition(z({IMG}), {IMG}))",
        ),
        ("constant(3) + img", f"addition(constant(3.0, {IMG}), {IMG})"),
        ("img & bconstant(true)", f"and({IMG}, bconstant(True, {IMG}))"),
        ("avg(x, near img)", f"avg(x({IMG}), near({IMG}))"),
        ("mask(x, near img) + y", f"addition(mask(x({IMG}), near({IMG})), y({IMG}))"),
        ("let f(m) = m & !tt in f(img)", f"and({IMG}, not(tt({IMG})))"),
        ("let f(m) = img & m in f(border)", f"and({IMG}, border({IMG}))"),
        (
            'for f in dir("d") do tt & near(load f)',
            "map({and(tt(load(item)), near(load(item)))}, dir('d'))",
        ),
        (
            "extract(img, [0], [1]) + x",
            "addition({0}, x({0}))".format(f"extract({IMG}, sequence(0.0), sequence(1.0))"),
        ),
        ("border(img)", f"border({IMG})"),
        ("tt(near img)", f"tt(near({IMG}))"),
        ("img * volume(tt)", f"multiplication({IMG}, volume(tt({IMG})))"),
        ("volume(tt)", f"volume(tt({IMG}))"),
        ("volume(img) / volume(tt)", f"division(volume({IMG}), volume(tt({IMG})))"),
        (
            'for f in ["a"] do border & load(f)',
            "map({and(border(load(item)), load(item))}, sequence('a'))",
        ),
        (
            'for f in ["a"] do [volume(load f), volume(tt)]',
            "map({sequence(volume(load(item)), volume(tt))}, sequence('a'))",
        ),
        ("for k in range(2) do volume(constant(k) .> 1)", None),
        (
            "for k in range(2) do volume(x >. k)",
            f"map({{volume(gt_sv(item, c0)) | c0=x({IMG})}}, range(2.0))",
        ),
        (
            "for k in range(2) do img & (x >. k)",
            f"map({{and(c0, gt_sv(item, c1)) | c0={IMG}, c1=x({IMG})}}, range(2.0))",
        ),
    ],
)
def test_geometry_is_bound_to_the_image_it_meets(text: str, plan: str | None) -> None:
    """An open operation gets the image as an argument, the one where its operand comes from."""
    if plan is not None:
        assert value(text) == plan


def test_geometry_that_meets_no_image_takes_all_that_the_program_loads() -> None:
    """Alone it is bound to every load of the program, whether a goal needs it or not."""
    text = 'import "vox1"\nload a = "f"\nload b = "g"\nprint "v" volume(a)\nsave "b.png" border'
    assert goal_text(text) == "volume(load('f'))\nborder(load('f'), load('g'))"


def test_documents_give_no_geometry() -> None:
    """What a program loads by a document's suffix is no image to take a geometry from."""
    text = 'import "vox1"\nload a = "f.nii"\nload b = "g.json"\nprint "v" volume(tt)'
    assert goal_text(text) == "volume(tt(load('f.nii')))"


def test_geometry_inside_of_a_loop_makes_a_valid_document() -> None:
    """What a loop leaves to the plan is bound when its items are known."""
    text = 'import "vox1"\nprint "v" for f in ["a"] do [volume(load f), volume(tt)]'
    plan = compile_text(text).plan
    assert dict(decode(encode(plan), index=registry()).nodes) == dict(plan.nodes)


def test_geometry_without_any_image_is_refused() -> None:
    """A program that loads nothing has no geometry."""
    message = compile_error('import "vox1"\nlet a = 1\nprint "v" volume(tt)')
    assert "3:18: error: `tt` takes its geometry from the images that the program loads" in message


def test_geometry_outside_of_the_loop_that_loads_is_refused() -> None:
    """What a loop loads is many images, or none, and gives no geometry to what is outside."""
    loop = 'for f in dir("d") do volume(load f)'
    message = compile_error(f'import "vox1"\nprint "a" {loop}\nprint "v" volume(tt)')
    assert "3:18: error: `tt` takes its geometry" in message
    assert compile_text(
        f'import "vox1"\nload i = "a"\nprint "a" {loop}\nprint "v" volume(tt)'
    ).plan.goals


def test_hidden_names_are_no_geometry() -> None:
    """A definition or parameter called x is not the index map."""
    assert goal_text('import "vox1"\nlet f(x) = x + 1\nprint "a" f(2)') == "addition(2.0, 1.0)"


@pytest.mark.parametrize(
    "text",
    [
        'let read(p) = load(p)\nlet img = read("a.nii")',
        'let read(p) = load(p)\nlet again(p) = read(p)\nlet img = again("a.nii")',
        'import "simpleitk"\nlet img = ReadImage("a.nii")',
    ],
)
def test_what_a_function_loads_gives_its_geometry(text: str) -> None:
    """It counts like a load in the program itself, in goals and in loops."""
    program = f'import "vox1"\n{text}\nprint "a" border\nprint "b" for k in [1] do volume(tt)'
    assert goal_text(program) == (
        "border(load('a.nii'))\nmap({c0 | c0=volume(tt(load('a.nii')))}, sequence(1.0))"
    )
