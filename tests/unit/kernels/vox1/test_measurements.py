"""Tests of measurements of images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.support.images import (
    call,
    image,
    mask,
    mask_arrays,
    masks,
    scalar_images,
    voxels,
)
from voxk8s.errors import KernelError
from voxk8s.values import Image


@given(a=masks())
def test_volume_counts_true_voxels(a: Image) -> None:
    """Volume is a number, not a volume in mm."""
    result = call("vox1.volume", a)
    assert isinstance(result, float)
    assert result == np.count_nonzero(a.array)


@given(data=st.data(), i=scalar_images(), c=st.sampled_from((0.0, 0.5, 1.0)))
def test_percentiles_are_ranks_within_the_mask(data: st.DataObject, i: Image, c: float) -> None:
    """Each rank is the share of smaller values plus c times the share of equal ones."""
    inside = mask(data.draw(mask_arrays(i.array.shape)), i.spacing)
    result = voxels("vox1.percentiles", i, inside, c)
    values = i.array[inside.array != 0]
    expected = np.full(i.array.shape, -1.0)
    for index in np.argwhere(inside.array):
        value = i.array[tuple(index)]
        smaller, equal = (values < value).sum(), (values == value).sum()
        expected[tuple(index)] = (smaller + c * equal) / len(values)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_percentiles_of_extremes() -> None:
    """Infinities are ranked, NaN is above them, and both zeros are one value."""
    array = np.array([[np.nan, np.inf, -np.inf, 0.0, -0.0, -np.nan]], np.float32)
    result = voxels("vox1.percentiles", image(array), mask(np.ones((1, 6))), 0.0)
    np.testing.assert_allclose(result[0] * 6, [4, 3, 0, 1, 1, 4], rtol=1e-6)


@pytest.mark.parametrize("levels", [1, 3, 1000, None])
def test_percentiles_of_a_large_image(levels: int | None) -> None:
    """Ranks of many values, few of them equal or most, are those that scipy counts, to the bit."""
    random = np.random.default_rng(5)
    array = random.normal(0, 1e3, (20, 50, 60)).astype(np.float32)
    if levels is not None:
        array = np.round(array / 3e3 * levels).astype(np.float32)
    inside = random.random(array.shape) < 0.7
    result = voxels("vox1.percentiles", image(array[::-1]), mask(inside[::-1]), 0.3)[::-1]
    values = array[inside]
    smaller = stats.rankdata(values, "min") - 1
    equal = stats.rankdata(values, "max") - smaller
    expected = ((smaller + 0.3 * equal) / values.size).astype(np.float32)
    np.testing.assert_array_equal(result[inside], expected)
    assert (result[~inside] == -1).all()


def test_percentiles_of_integers() -> None:
    """Integer images are ranked by their values, negative ones too."""
    array = np.array([[-5, 3, -7, 3]], np.int16)
    result = voxels("vox1.percentiles", image(array), mask(np.ones((1, 4))), 1.0)
    np.testing.assert_allclose(result[0], [0.5, 1, 0.25, 1])


@given(data=st.data(), i=scalar_images())
def test_means_and_extremes(data: st.DataObject, i: Image) -> None:
    """Means are taken inside the mask, extremes over the image."""
    inside = mask(data.draw(mask_arrays(i.array.shape)), i.spacing)
    values = i.array[inside.array != 0].astype(np.float64)
    if len(values):
        assert call("vox1.avg", i, inside) == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
        assert call("vox1.avg0", i, inside) == call("vox1.avg", i, inside)
    else:
        assert call("vox1.avg0", i, inside) == 0.0
        with pytest.raises(KernelError, match="empty"):
            call("vox1.avg", i, inside)
    assert call("vox1.min", i) == i.array.min()
    assert call("vox1.max", i) == i.array.max()
    np.testing.assert_array_equal(voxels("vox1.abs", i), np.abs(i.array))
    assert call("vox1.abs", -2) == 2.0


def test_different_geometry_is_an_error_that_names_both() -> None:
    """An image and a mask must have one geometry."""
    for name in ("avg", "percentiles"):
        arguments = [image(np.zeros((2, 2))), mask(np.zeros((2, 3))), 0.5][: 2 + (name[0] == "p")]
        with pytest.raises(KernelError, match=r"image 2x2.*image 2x3"):
            call(f"vox1.{name}", *arguments)


@pytest.mark.parametrize("c", [float("nan"), float("inf"), 10**400])
def test_the_correction_of_percentiles_is_a_finite_number(c: float) -> None:
    """Anything else would make every rank NaN or infinite."""
    with pytest.raises(KernelError, match="percentiles: "):
        call("vox1.percentiles", image(np.eye(2, dtype=np.float32)), mask(np.ones((2, 2))), c)


def test_nan_spreads_to_numbers_of_the_image() -> None:
    """Means and extremes of NaN are NaN; outside the mask it does not count."""
    holed = image(np.array([[np.nan, 1.0, 3.0]], np.float32))
    assert str(call("vox1.avg", holed, mask([[1, 1, 1]]))) == "nan"
    assert call("vox1.avg", holed, mask([[0, 1, 1]])) == 2.0
    for name in ("min", "max"):
        assert str(call(f"vox1.{name}", holed)) == "nan"


@given(
    i=scalar_images((4, 5)),
    seed=st.integers(0, 99),
    dtype=st.sampled_from(("int16", "uint64", "float32", "float64")),
    low=st.sampled_from((0, 3, 2**40)),
    step=st.sampled_from((1, 0.5, 1000)),
)
def test_label_means(i: Image, seed: int, dtype: str, low: float, step: float) -> None:
    """Each voxel gets the mean over its label, whole or not, few or far apart."""
    marks = np.random.default_rng(seed).integers(0, 4, (4, 5)) * step + low % (2**14)
    marks = marks.astype(dtype) + np.asarray(low // 2**14 * 2**14).astype(dtype)
    result = voxels("vox1.label_mean", i, image(marks, i.spacing))
    expected = np.zeros((4, 5))
    for label in np.unique(marks):
        expected[marks == label] = i.array[marks == label].astype(np.float64).mean()
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


def test_extremes_of_sequences_of_numbers() -> None:
    """A loop may have measured them; an empty one has none, NaN has no order."""
    assert (call("vox1.min", [3, 1.5, True]), call("vox1.max", [3, 1.5])) == (1.0, 3.0)
    for items in ([], [float("nan")], ["a"]):
        with pytest.raises(KernelError, match="max: expected"):
            call("vox1.max", items)
