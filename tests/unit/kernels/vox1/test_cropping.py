"""Tests of the extraction of a box of voxels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import (
    call,
)
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.values import Image


def test_extract_keeps_the_place() -> None:
    """A box has its voxels where they were in the world."""
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    turned = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    whole = Image(array, (0.5, 1.0, 2.0), (1.0, 2.0, 3.0), turned)
    cut = call("vox1.extract", whole, [2.0, 3, 1], [1, 0, 2])
    assert isinstance(cut, Image)
    np.testing.assert_array_equal(cut.array, array[2:3, 0:3, 1:3])
    expected = to_itk(whole).TransformIndexToPhysicalPoint((1, 0, 2))
    np.testing.assert_allclose(cut.origin, expected)
    with pytest.raises(KernelError, match="expected a box within the image"):
        call("vox1.extract", whole, [2, 3, 2], [1, 0, 2])
    with pytest.raises(KernelError, match="expected 3 numbers"):
        call("vox1.extract", whole, [2, 3], [1, 0])
