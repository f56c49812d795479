"""How the grids of images differ, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from voxk8s.values import Image
from voxk8s.viewer import other_grids

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SCAN = Image(np.zeros((3, 4, 5), np.uint8), (1.0,) * 3, (0.0,) * 3, IDENTITY)


def test_only_what_differs_is_named() -> None:
    """Rounding in a file is no difference."""
    rounded = replace(SCAN, spacing=(1.0, 1.0, 1.0000001))
    coarse = replace(SCAN, spacing=(1.0, 1.0, 2.5))
    (text,) = other_grids(("a.nii", SCAN), [("b.nii", rounded), ("c.nii", coarse)])
    assert text.startswith(
        "c.nii has another grid than a.nii: spacing (1, 1, 1) and (1, 1, 2.5). It is drawn"
    )


def test_a_slice_is_not_a_volume() -> None:
    """The size says so, and so does all else that has another number of axes."""
    flat = Image(np.zeros((4, 5), np.uint8), (1.0,) * 2, (0.0,) * 2, (1.0, 0.0, 0.0, 1.0))
    (text,) = other_grids(("a.nii", SCAN), [("b.png", flat)])
    assert "size (5, 4, 3) and (5, 4), spacing (1, 1, 1) and (1, 1)" in text
