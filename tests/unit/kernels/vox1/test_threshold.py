"""Tests of thresholds against numpy."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import image, scalar_images, voxels
from voxk8s.values import Image

numbers = st.one_of(
    st.sampled_from((-1.0, 0, 0.0, 0.25, 1, 300.0, 1e30, 1e300, float("nan"))),
    st.floats(allow_nan=False),
)


@given(i=scalar_images(), v=numbers, w=numbers)
def test_thresholds_compare_in_float32(i: Image, v: float, w: float) -> None:
    """Each threshold is numpy's comparison with the number cast to float32."""
    with np.errstate(over="ignore"):
        low, high = np.float32(v), np.float32(w)
    array = i.array
    expected = {
        "geq_sv": array >= low,
        "leq_sv": array <= low,
        "gt_sv": array > low,
        "lt_sv": array < low,
        "eq_sv": array == low,
    }
    for name, value in expected.items():
        result = voxels(f"vox1.{name}", v, i)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, value)
    np.testing.assert_array_equal(voxels("vox1.between", v, w, i), (array >= low) & (array <= high))


def test_a_third_is_itself_in_float32() -> None:
    """A number that float32 cannot hold still equals the voxel made of it."""
    third = image(np.array([[1 / 3]], np.float32))
    assert voxels("vox1.eq_sv", 1 / 3, third).item() == 1
    big = image(np.array([[2**24 + 1]], np.int32))
    assert voxels("vox1.eq_sv", 2**24, big).item() == 1


def test_thresholds_of_large_integer_images_take_little_memory() -> None:
    """Integer voxels are compared a part at a time, not after a copy of all in float32."""
    voxels_of = np.random.default_rng(0).integers(0, 256, (7, 1000, 300), dtype=np.uint8)
    tracemalloc.start()
    try:
        found = voxels("vox1.geq_sv", 100.0, image(voxels_of))
        inside = voxels("vox1.between", 100.0, 120.0, image(voxels_of))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found, voxels_of >= 100)
    np.testing.assert_array_equal(inside, (voxels_of >= 100) & (voxels_of <= 120))
    assert peak < 4 * voxels_of.nbytes
