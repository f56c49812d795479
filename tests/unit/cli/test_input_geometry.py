"""Tests of the check of geometry: the kernels are the judges of what it takes for certain."""

from __future__ import annotations

import numpy as np
import pytest

from voxk8s.cli.input_geometry import COMBINING, Extent, geometry_problems
from voxk8s.errors import KernelError
from voxk8s.kernels import registry
from voxk8s.program import compile_program
from voxk8s.values import Image

FLAT = (1.0, 0.0, 0.0, 1.0)


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
    extents = {"a.nii": Extent((2, 2), (1, 1), (0, 0), FLAT, "a.nii")}
    extents["b.nii"] = Extent((3, 2), (1, 1), (0, 0), FLAT, "b.nii")
    text = """
        import "simpleitk"
        load a = "a.nii"
        load b = "b.nii"
        load unknown = "c.nii"
        print "x" max(a + Resample(b, a))
        print "y" max(unknown + a)
        print "z" for x in [a, b] do max(x + a)
    """
    assert list(geometry_problems(compile_program(text), {}, extents.get)) == []
    (found,) = geometry_problems(compile_program(text + 'print "w" max(a - b)'), {}, extents.get)
    assert "a.nii and b.nii have size (2, 2) and (3, 2)" in found
