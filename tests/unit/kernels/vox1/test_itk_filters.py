"""Tests of the filters by ITK."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
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
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.values import Image, Value


def test_otsu_splits_at_a_bin_edge() -> None:
    """Values above the threshold are 1, inside the mask only."""
    array = np.array([[0, 0, 1, 10, 11, 10, 10]], np.float32)
    inside = mask([[1, 1, 1, 1, 1, 1, 0]])
    assert voxels("vox1.otsu", image(array), inside, 10.0).tolist() == [[0, 0, 0, 1, 1, 1, 0]]
    assert not voxels("vox1.otsu", image(array), mask(np.zeros((1, 7))), 10).any()
    with pytest.raises(KernelError, match="otsu: expected 1 to 65536 bins, got 0"):
        call("vox1.otsu", image(array), inside, 0)


def test_otsu_maximizes_the_variance_between_classes() -> None:
    """The split is that of the largest variance between classes over all bin edges."""
    rng = np.random.default_rng(0)
    array = np.concatenate([rng.normal(10, 2, 300), rng.normal(30, 4, 200)]).astype(np.float32)
    result = voxels("vox1.otsu", image(array[None]), mask(np.ones((1, 500))), 64)[0]
    edges = np.linspace(array.min(), array.max(), 65)
    counts, _ = np.histogram(array, edges)
    centres = (edges[:-1] + edges[1:]) / 2

    def between(split: int) -> float:
        low, high = counts[:split].sum(), counts[split:].sum()
        if not low or not high:
            return 0.0
        first = (counts[:split] * centres[:split]).sum() / low
        second = (counts[split:] * centres[split:]).sum() / high
        return float(low * high * (first - second) ** 2)

    best = max(range(1, 64), key=between)
    expected = array > edges[best]
    # ITK's bins are a hair wider, so the voxels next to the edge may differ.
    assert (result != expected).mean() < 0.01


def test_gradient_is_per_mm() -> None:
    """A ramp has its slope by spacing, whatever the axis."""
    ramp = np.broadcast_to(np.arange(6, dtype=np.float32) * 3, (5, 6)).copy()
    inner = voxels("vox1.gradient", image(ramp, (0.5, 2.0)))[1:-1, 1:-1]
    np.testing.assert_allclose(inner, 6.0)


def test_slic_gives_connected_labels() -> None:
    """Superpixels are labels in float32 of about the size asked for."""
    array = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    labels = voxels("vox1.slic", image(array), 5, 10.0)
    assert labels.dtype == np.float32
    assert 4 <= len(np.unique(labels)) <= 40
    with pytest.raises(KernelError, match="slic"):
        call("vox1.slic", image(array), 0, 10.0)


def test_n4_removes_a_bias() -> None:
    """A smooth shading is weaker after the correction than before."""
    y, x = np.mgrid[0:24, 0:24]
    flat = np.where((x // 6 + y // 6) % 2, 200.0, 100.0)
    shaded = image((flat * (1 + 0.02 * x)).astype(np.float32))
    inside = mask(np.ones((24, 24)))
    corrected = voxels("vox1.n4", shaded, inside)
    assert corrected.dtype == np.float32

    def slope(array: np.ndarray) -> float:
        ratio = array / flat
        return float(abs(np.polyfit(x.ravel(), ratio.ravel() / ratio.mean(), 1)[0]))

    assert slope(corrected) < slope(shaded.array)
    with pytest.raises(KernelError, match="empty"):
        call("vox1.n4", shaded, mask(np.zeros((24, 24))))


ODD = [(1, 7, 8), (2, 8), (1, 8), (1, 1), (1, 1, 1), (2, 9, 9), (7, 8), (5, 6, 7)]


@pytest.mark.parametrize("shape", ODD)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 10**9])
def test_slic_of_thin_images_and_any_size(shape: tuple[int, ...], size: int) -> None:
    """Seeds lie within the image, however thin it is; the bits are the same each time."""
    array = np.random.default_rng(0).random(shape).astype(np.float32)
    labels = voxels("vox1.slic", image(array), size, 1.0)
    assert labels.shape == shape
    np.testing.assert_array_equal(voxels("vox1.slic", image(array), size, 1.0), labels)
    if size >= max(shape):
        assert not labels.any()


def test_slic_gives_what_itk_gives() -> None:
    """Where the grid fits the image, labels are those of SimpleITK called directly."""
    array = np.random.default_rng(1).random((9, 10, 12)).astype(np.float32)
    i = image(array, (0.5, 1.0, 2.0))
    expected = sitk.SLIC(to_itk(i), [3, 3, 3], 2.0, 5, True, True)
    np.testing.assert_array_equal(voxels("vox1.slic", i, 3, 2.0), sitk.GetArrayFromImage(expected))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_n4_corrects_one_slice_as_a_2d_image(axis: int) -> None:
    """A volume of one voxel along an axis is corrected as an image of two axes."""
    array = (100 + 9 * np.random.default_rng(0).random((9, 11))).astype(np.float32)
    inside = mask(np.ones((9, 11)))
    slice_ = image(np.expand_dims(array, axis), (0.5, 1.0, 2.0))
    result = voxels("vox1.n4", slice_, mask(np.expand_dims(inside.array, axis), (0.5, 1.0, 2.0)))
    np.testing.assert_array_equal(
        result, np.expand_dims(voxels("vox1.n4", image(array), inside), axis)
    )


def test_n4_has_the_same_bits_on_any_number_of_threads() -> None:
    """It agrees with SimpleITK on one thread, whatever the process is set to."""
    array = (100 + 9 * np.random.default_rng(0).random((8, 9, 10))).astype(np.float32)
    inside = mask(array > 101)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    expected = sitk.N4BiasFieldCorrection(
        sitk.GetImageFromArray(array), sitk.GetImageFromArray(inside.array)
    )
    for threads in (8, 1):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        np.testing.assert_array_equal(
            voxels("vox1.n4", image(array), inside), sitk.GetArrayFromImage(expected)
        )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_filters_refuse_values_that_are_not_finite(value: float) -> None:
    """Otsu, n4 and slic refuse NaN and infinities; outside the mask they do not matter."""
    array = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    array[0, 0] = value
    everywhere, elsewhere = np.ones((6, 7)), np.ones((6, 7))
    elsewhere[0, 0] = 0
    with pytest.raises(
        KernelError, match=r"slic: expected values .* got 1 others .* image 6x7 float32"
    ):
        call("vox1.slic", image(array), 3, 1.0)
    for name, more in (("otsu", [8]), ("n4", [])):
        with pytest.raises(KernelError, match=f"{name}: expected values in the mask .* got 1"):
            call(f"vox1.{name}", image(array), mask(everywhere), *more)
    assert voxels("vox1.otsu", image(array), mask(elsewhere), 8).any()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("slic", (3, math.nan), "weight .* got nan"),
        ("slic", (3, -1.0), "weight .* got -1.0"),
        ("slic", (3, math.inf), "weight .* got inf"),
        ("slic", (3, 1e30), "weight .* got 1e[+]30"),
        ("otsu", (mask(np.ones((4, 4))), 10**9), "expected 1 to 65536 bins"),
        ("otsu", (mask(np.ones((4, 4))), 1e300), "whole number"),
    ],
)
def test_parameters_out_of_bounds_are_refused(
    name: str, arguments: tuple[Value, ...], words: str
) -> None:
    """Parameters that would exhaust memory, or have no meaning, are errors."""
    with pytest.raises(KernelError, match=f"{name}.*{words}"):
        call(f"vox1.{name}", image(np.eye(4, dtype=np.float32)), *arguments)


def test_slic_of_values_whose_squares_are_beyond_float32() -> None:
    """They are refused: ITK would leave voxels without a label and crash."""
    large = image(np.full((4, 4), 1e20, np.float32))
    with pytest.raises(KernelError, match=r"slic: expected values within .*1e[+]18, got 16 others"):
        call("vox1.slic", large, 3, 1.0)


def test_otsu_with_one_bin() -> None:
    """No value is above the upper edge of the only bin."""
    array = image(np.random.default_rng(0).random((4, 4)).astype(np.float32))
    assert not voxels("vox1.otsu", array, mask(np.ones((4, 4))), 1).any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1), (1, 1, 8), (1, 8)])
def test_n4_needs_two_axes(shape: tuple[int, ...]) -> None:
    """A row of voxels has no bias field."""
    with pytest.raises(KernelError, match=r"n4: expected two axes with at least two voxels, got"):
        call("vox1.n4", image(np.ones(shape, np.float32)), mask(np.ones(shape)))


@given(i=scalar_images())
def test_gradient_against_differences(i: Image) -> None:
    """Each voxel has half the difference of its neighbours per mm, the outermost repeated."""
    array = np.clip(i.array, -300, 300)
    squares = np.zeros(array.shape)
    for axis, step in enumerate(reversed(i.spacing)):
        width = [(int(other == axis),) * 2 for other in range(array.ndim)]
        padded = np.pad(array.astype(np.float64), width, mode="edge")
        ahead = np.take(padded, range(2, padded.shape[axis]), axis)
        behind = np.take(padded, range(padded.shape[axis] - 2), axis)
        squares += ((ahead - behind) / (2 * step)) ** 2
    result = voxels("vox1.gradient", image(array, i.spacing))
    np.testing.assert_allclose(result, np.sqrt(squares), rtol=1e-5, atol=1e-5)


@given(data=st.data(), i=scalar_images(), bins=st.integers(2, 40))
def test_otsu_gives_what_itk_gives(data: st.DataObject, i: Image, bins: int) -> None:
    """Inside any mask the split is that of the threshold that ITK computes over its voxels."""
    array = np.clip(i.array, -300, 300)
    inside = mask(data.draw(mask_arrays(array.shape)), i.spacing)
    values = array[inside.array != 0]
    result = voxels("vox1.otsu", image(array, i.spacing), inside, bins)
    if not values.size:
        assert not result.any()
        return
    filter_ = sitk.OtsuThresholdImageFilter()
    filter_.SetNumberOfHistogramBins(bins)
    filter_.SetNumberOfThreads(1)
    filter_.Execute(sitk.GetImageFromArray(values[np.newaxis]))
    np.testing.assert_array_equal(result, (array > filter_.GetThreshold()) & (inside.array != 0))


@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 6, 7), (6, 7)])
def test_filters_take_arrays_in_any_order_of_memory(shape: tuple[int, ...]) -> None:
    """A view that is not contiguous gives what its copy gives."""
    wide = np.random.default_rng(0).random(tuple(2 * side for side in shape)).astype(np.float32)
    view = wide[tuple(slice(side) for side in shape)][..., ::-1]
    copy = np.ascontiguousarray(view)
    marks = (view > 0.3).astype(np.uint8)
    for name, more in (
        ("gradient", ()),
        ("slic", (3, 1.0)),
        ("otsu", (mask(marks), 8)),
        ("n4", (mask(marks),)),
        ("percentiles", (mask(marks), 0.5)),
        ("label_mean", (mask(marks),)),
    ):
        np.testing.assert_array_equal(
            voxels(f"vox1.{name}", image(view), *more), voxels(f"vox1.{name}", image(copy), *more)
        )
