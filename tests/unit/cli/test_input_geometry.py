"""Tests of the check of geometry: the kernels are the judges of what it takes for certain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from voxk8s.cli.input_geometry import COMBINING, find_problems
from voxk8s.errors import KernelError
from voxk8s.inputs.local_header import Extent
from voxk8s.kernels import registry
from voxk8s.plan.signature import Role
from voxk8s.program import compile_program, compile_with_places
from voxk8s.values import Image

FLAT = (1.0, 0.0, 0.0, 1.0)


class Inputs:
    """Images whose names begin with their width, in a folder of three, and none that is "gone"."""

    def problem(self, role: Role, url: str) -> str:
        """Return what is wrong with a file, as far as its name says it."""
        return f"input {url}: no such file" if role is Role.LOAD and "gone" in url else ""

    def extent(self, url: str) -> Extent | None:
        """Return the extent of an image, None if it has no width in its name."""
        width = url.rpartition("/")[2][0]
        return Extent((int(width), 2), (1, 1), (0, 0), FLAT, url) if width.isdigit() else None

    def names(self, arguments: Sequence[object]) -> Sequence[str] | None:
        """Return the images in the one folder that there is."""
        return ["2.nii", "3.nii", "4.nii"] if arguments[0] == "scans" else None


def problems(text: str) -> list[str]:
    """Return the errors of a program."""
    found = find_problems(compile_program(text), {}, Inputs())
    return [each.text for each in found if not each.is_warning]


def warnings(text: str) -> list[str]:
    """Return what is said of a program whose loops may skip items; nothing is an error."""
    found = list(
        find_problems(compile_with_places(text, skips=True).plan, {}, Inputs(), skips=True)
    )
    assert all(each.is_warning for each in found)
    return [each.text for each in found]


def image(spacing: float) -> Image:
    """Return a mask of 2 x 2 pixels."""
    return Image(np.ones((2, 2), np.uint8), (1.0, spacing), (0.0, 0.0), FLAT)


@pytest.mark.parametrize("name", sorted(COMBINING))
def test_kernels_combine_images_of_one_geometry(name: str) -> None:
    """Those that are named here refuse others, and give an image of the same geometry."""
    function = registry().function(name)
    with pytest.raises(KernelError, match="images of one geometry"):
        function(image(1), image(2))
    result = function(image(1), image(1))
    assert not isinstance(result, Image) or result.spacing == (1.0, 1.0)


def test_only_what_is_certain_is_said() -> None:
    """Not of images whose geometry is not known, nor of what resampling gives."""
    text = """
        import "simpleitk"
        load a = "2.nii"
        load b = "3.nii"
        load unknown = "c.nii"
        print "x" max(a + Resample(b, a))
        print "y" max(unknown + a)
        print "z" for x in [a, unknown] do max(x + a)
    """
    assert problems(text) == []
    (found,) = problems(text + 'print "w" max(a - b)')
    assert "2.nii and 3.nii have size (2, 2) and (3, 2)" in found


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        ('for p in ["2.nii", "3.nii"] do max(a + load(p))', "2.nii and 3.nii have size"),
        ('for p in ["3.nii", "4.nii", "2.nii"] do max(a + load(p))', "and so in 1 more items"),
        (
            'for p in dir("scans") do max(a + load(concat("scans/", p)))',
            "2.nii and scans/3.nii have size (2, 2) and (3, 2), and so in 1 more items of the loop",
        ),
        ("for x in (for p in names do load(p)) do max(x + a)", "3.nii and 2.nii have size"),
        ('for i in range(2) do max(a + load(["2.nii", "3.nii"][i]))', "2.nii and 3.nii have size"),
        ("for p in names do for q in names do max(load(p) + load(q))", "and so in 1 more items"),
        ('sum(filter v in (for p in ["3.nii"] do max(a + load(p))) do v > 1)', "3.nii have size"),
    ],
)
def test_loops_over_what_is_known_are_followed(loop: str, said: str) -> None:
    """Over lists, folders, ranges and the results of other loops; each operation is said once."""
    head = 'import "vox1"\nimport "strings"\nload a = "2.nii"\nlet names = ["2.nii", "3.nii"]\n'
    (found,) = problems(f'{head}print "x" {loop}')
    assert said in found


@pytest.mark.parametrize(
    "loop",
    [
        'for p in dir("elsewhere") do max(a + load(p))',
        'for p in ["2.nii", "unknown.nii"] do max(a + load(p))',
        'for p in ["3.nii"] do recover(max(a + load(p)), 0)',
        'for p in ["3.nii"] do if max(a) > 1 then max(a + load(p)) else 1',
        'recover(for p in ["3.nii"] do max(a + load(p)), 0)',
        'for p in ["3.nii"] do max(load(p) + load(p))',
        'for i in range(100000) do max(a + load(["3.nii"][i]))',
        'for i in range(5, 7) do max(a + load(["3.nii"][i]))',
    ],
)
def test_of_other_loops_nothing_is_said(loop: str) -> None:
    """Of those over what is known only at run time, and where failures have other values."""
    head = 'import "vox1"\nload a = "2.nii"\n'
    assert problems(f'{head}print "x" {loop}') == []


HEAD = """
import "vox1"
load a = "2.nii"
load gone = "gone.nii"
let names = ["2.nii", "4.nii"]
let bad = ["gone.nii", "3.nii"]
"""
LOOPS = (
    ('for p in ["2.nii", "3.nii"] do max(a + load(p))', "2.nii and 3.nii have size"),
    ('mean(for p in ["2.nii", "gone.nii"] do max(load(p)))', "input gone.nii: no such file"),
    ("for x in [a, gone] do max(x)", "input gone.nii: no such file"),
    ("fold + [max(a), max(gone)]", "input gone.nii: no such file"),
    (
        "for q in bad do mean(for p in names do max(load(p) + load(q)))",
        "input gone.nii: no such file",
    ),
    ("for p in (for x in [a, gone] do x) do max(p)", "input gone.nii: no such file"),
)


@pytest.mark.parametrize(("text", "said"), LOOPS)
def test_items_that_a_run_skips_are_warned_of(text: str, said: str) -> None:
    """Elsewhere they are errors."""
    if "bad" not in text:
        (found,) = warnings(f'{HEAD}print "x" {text}')
        assert said in found
        assert found.endswith("; the items of loops that need it are skipped")
    (error, *_) = problems(f'{HEAD}print "x" {text}')
    assert said in error


@pytest.mark.parametrize(
    "text",
    [
        'for p in ["2.nii", "3.nii"] do max(gone)',
        "for x in [gone, gone + 1] do max(x)",
        "mean([max(a), max(gone)])",
        '[max(gone), mean(for p in ["2.nii", "gone.nii"] do max(load(p)))]',
    ],
)
def test_a_loop_all_of_whose_items_fail_has_failed(text: str) -> None:
    """So has what is needed outside of loops."""
    plan = compile_with_places(f'{HEAD}print "x" {text}', skips=True).plan
    (found,) = find_problems(plan, {}, Inputs(), skips=True)
    assert (found.is_warning, "input gone.nii" in found.text) == (False, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recover(max(gone), 0)", "; `recover` gives another value"),
        ('recover(max(a + load("3.nii")), 0)', "; `recover` gives another value"),
        ("recover(mean([max(gone), 1]), 0)", "; `recover` gives another value"),
        ("if max(a) > 1 then max(gone) else 1", "; it is needed only if `if` chooses it"),
    ],
)
def test_what_a_run_goes_on_without_is_warned_of(text: str, said: str) -> None:
    """Since the value that is given instead may be a surprise."""
    (found,) = warnings(f'{HEAD}print "x" {text}')
    assert found.endswith(said)


def test_the_value_that_is_given_instead_may_fail_too() -> None:
    """And so may both of what is chosen from, and what an item is taken from."""
    assert problems(f'{HEAD}print "x" [max(gone), 1][1]') == []
    for text in (
        "recover(max(a), max(gone))",
        "recover(max(gone), max(gone) + 1)",
        "if max(a) > 1 then max(gone) else -max(gone)",
    ):
        assert problems(f'{HEAD}print "x" {text}') == ["input gone.nii: no such file"]
