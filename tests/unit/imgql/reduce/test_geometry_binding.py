"""Tests of geometry kernels without arguments: they take the geometry of an image."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_text, goal_text, value_text
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
def test_geometry_is_bound_to_the_image_it_is_combined_with(text: str, plan: str | None) -> None:
    """The argument is the image that the operand takes its geometry from."""
    if plan is not None:
        assert value_text(text) == plan


def test_geometry_alone_is_bound_to_all_loads() -> None:
    """It does not matter whether a goal needs the load."""
    text = 'import "vox1"\nload a = "f"\nload b = "g"\nprint "v" volume(a)\nsave "b.png" border'
    assert goal_text(text) == "volume(load('f'))\nborder(load('f'), load('g'))"


def test_documents_give_no_geometry() -> None:
    """A file with a document's suffix is not an image to take a geometry from."""
    text = 'import "vox1"\nload a = "f.nii"\nload b = "g.json"\nprint "v" volume(tt)'
    assert goal_text(text) == "volume(tt(load('f.nii')))"


def test_geometry_inside_a_loop_makes_a_valid_document() -> None:
    """Geometry that is bound at run time is part of a valid document."""
    text = 'import "vox1"\nprint "v" for f in ["a"] do [volume(load f), volume(tt)]'
    plan = compile_text(text).plan
    assert dict(decode(encode(plan), index=registry()).nodes) == dict(plan.nodes)


def test_hidden_names_are_not_geometry() -> None:
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
def test_the_load_of_a_function_gives_its_geometry(text: str) -> None:
    """It counts like a load in the program itself, in goals and in loops."""
    program = f'import "vox1"\n{text}\nprint "a" border\nprint "b" for k in [1] do volume(tt)'
    assert goal_text(program) == (
        "border(load('a.nii'))\nmap({c0 | c0=volume(tt(load('a.nii')))}, sequence(1.0))"
    )


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
def test_geometry_as_the_initial_value_of_a_fold_is_that_of_the_items(
    text: str, first: str
) -> None:
    """It is bound to the root of the first item, if that is an image."""
    assert f"accumulator={first}}}" in value_text(text)
