"""Tests of the check of geometry: the kernels are the judges of what it takes for certain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from voxk8s.cli.input_geometry import COMBINING, geometry_problems
from voxk8s.errors import KernelError
from voxk8s.inputs.local_header import Extent
from voxk8s.kernels import registry
from voxk8s.program import compile_program
from voxk8s.values import Image

FLAT = (1.0, 0.0, 0.0, 1.0)


class Inputs:
    """Images whose names begin with their width, in a folder of three."""

    def extent(self, url: str) -> Extent | None:
        """Return the extent of an image, None if it has no width in its name."""
        width = url.rpartition("/")[2][0]
        return Extent((int(width), 2), (1, 1), (0, 0), FLAT, url) if width.isdigit() else None

    def names(self, arguments: Sequence[object]) -> Sequence[str] | None:
        """Return the images in the one folder that there is."""
        return ["2.nii", "3.nii", "4.nii"] if arguments[0] == "scans" else None


def problems(text: str) -> list[str]:
    """Return what is said of a program."""
    return list(geometry_problems(compile_program(text), {}, Inputs()))


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
