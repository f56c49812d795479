"""Tests of the correlation of local histograms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import (
    call,
    image,
    mask,
    mask_arrays,
    scalar_images,
    voxels,
)
from tests.support.properties import examples
from voxk8s.errors import KernelError
from voxk8s.values import Image


def _correlation(h: np.ndarray, g: np.ndarray) -> float:
    if np.ptp(h) == 0 or np.ptp(g) == 0:
        return float(np.ptp(h) == 0 and np.ptp(g) == 0)
    return float(np.corrcoef(h, g)[0, 1])


@examples(25)
@given(
    data=st.data(),
    i=scalar_images(),
    r=st.sampled_from((0.0, 1.0, 2.5, 4.0)),
    k=st.sampled_from((1, 2, 5)),
)
def test_cross_correlation_against_brute_force(
    data: st.DataObject, i: Image, r: float, k: int
) -> None:
    """Each voxel's window has its histogram correlated by numpy."""
    other = Image(i.array[::-1].copy(), i.spacing, i.origin, i.direction)
    inside = mask(data.draw(mask_arrays(i.array.shape)), i.spacing)
    low, high = -1.0, 2.0
    result = voxels("vox1.crossCorrelation", r, i, other, inside, low, high, k)
    edges = np.linspace(low, high, k + 1)

    def histogram(values: np.ndarray) -> np.ndarray:
        values = values[(values >= low) & (values < high)]
        return np.histogram(values, edges)[0]

    reach = [max(1, math.floor(r / step + 0.5)) for step in reversed(i.spacing)]
    target = histogram(other.array[inside.array != 0])
    for index in itertools.product(*(range(side) for side in i.array.shape)):
        window = tuple(
            slice(max(0, place - more), place + more + 1)
            for place, more in zip(index, reach, strict=True)
        )
        expected = _correlation(histogram(i.array[window]), target)
        assert result[index] == pytest.approx(expected, abs=1e-5)


def test_cross_correlation_does_not_depend_on_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Working layer by layer gives the same bits as working on all at once."""
    from voxk8s.kernels.vox1 import texture

    array = np.random.default_rng(2).random((9, 12, 14)).astype(np.float32)
    arguments = (3.0, image(array), image(array), mask(array > 0.5), 0.0, 1.0, 8)
    whole = voxels("vox1.crossCorrelation", *arguments)
    monkeypatch.setattr(texture, "_SLAB_VOXELS", 1)
    np.testing.assert_array_equal(voxels("vox1.crossCorrelation", *arguments), whole)


@pytest.mark.parametrize(("m1", "m2", "k"), [(1.0, 1.0, 5), (2.0, 1.0, 5), (0.0, 1.0, 0)])
def test_cross_correlation_needs_a_range_and_bins(m1: float, m2: float, k: int) -> None:
    """An empty range and no bins are errors."""
    i = image(np.zeros((2, 2)))
    with pytest.raises(KernelError, match="crossCorrelation"):
        call("vox1.crossCorrelation", 1.0, i, i, mask(np.ones((2, 2))), m1, m2, k)


@pytest.mark.parametrize("r", [9.0, 1e9, 1e300, math.inf])
def test_a_window_beyond_the_image_is_the_image(r: float) -> None:
    """However large the radius, the window is no larger than the image."""
    i = image(np.random.default_rng(0).random((3, 4, 5)).astype(np.float32))
    inside = mask(np.ones((3, 4, 5)))
    assert (voxels("vox1.crossCorrelation", r, i, i, inside, 0.0, 1.0, 4) == 1).all()


@pytest.mark.parametrize(
    ("r", "m1", "m2", "k"),
    [
        (math.nan, 0.0, 1.0, 4),
        (1.0, -math.inf, 1.0, 4),
        (1.0, 0.0, math.inf, 4),
        (1.0, -1.7e308, 1.7e308, 4),
        (1.0, 0.0, 1.0, 10**9),
    ],
)
def test_cross_correlation_needs_finite_numbers(r: float, m1: float, m2: float, k: int) -> None:
    """A radius of NaN, a range without end and bins without number are errors."""
    i = image(np.zeros((2, 2)))
    with pytest.raises(KernelError, match="crossCorrelation"):
        call("vox1.crossCorrelation", r, i, i, mask(np.ones((2, 2))), m1, m2, k)
