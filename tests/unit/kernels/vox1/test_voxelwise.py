"""Tests of what is done voxel by voxel: thresholds, booleans, colour, geometry."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import call, image, mask, mask_pairs, scalar_images, voxels
from voxk8s.errors import KernelError
from voxk8s.values import Image, Value

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


@given(pair=mask_pairs())
def test_boolean_operators(pair: tuple[Image, Image]) -> None:
    """And, or, not and difference are numpy's."""
    a, b = pair
    first, second = a.array != 0, b.array != 0
    expected = {"and": first & second, "or": first | second, "diff": first & ~second}
    for name, value in expected.items():
        result = voxels(f"vox1.{name}", a, b)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, value)
    np.testing.assert_array_equal(voxels("vox1.not", a), ~first)


def test_masks_of_files_count_what_is_not_zero() -> None:
    """A mask of 0 and 255, or of labels, is a mask."""
    a, b = image(np.array([[0, 255, 2]], np.uint8)), image(np.array([[1, 4, 0]], np.int16))
    assert voxels("vox1.and", a, b).tolist() == [[0, 1, 0]]
    assert voxels("vox1.not", a).tolist() == [[1, 0, 0]]
    assert voxels("vox1.diff", a, b).tolist() == [[0, 0, 1]]


def test_truth_values_are_taken_for_all_voxels() -> None:
    """Two truth values give a truth value, one with a mask gives a mask."""
    a = mask([[0, 1]])
    assert call("vox1.and", True, 0.0) is False
    assert call("vox1.or", True, False) is True
    assert call("vox1.not", False) is True
    assert voxels("vox1.and", a, True).tolist() == [[0, 1]]
    assert voxels("vox1.diff", True, a).tolist() == [[1, 0]]
    with pytest.raises(KernelError, match="and: needs masks"):
        call("vox1.and", a, "x")


@given(i=scalar_images((2, 3)))
def test_masking(i: Image) -> None:
    """Mask keeps what is inside and gives 0 outside, also for infinities."""
    array = i.array.copy()
    array[0, 0] = np.inf
    inside = mask([[0, 1, 1], [0, 0, 1]], i.spacing)
    result = voxels("vox1.mask", Image(array, i.spacing, i.origin, i.direction), inside)
    np.testing.assert_array_equal(result, np.where(inside.array, array, 0))


def test_masking_colour() -> None:
    """A colour image keeps its type and channels."""
    colour = image(np.full((1, 2, 3), 7, np.uint8), channels=3)
    result = call("vox1.mask", colour, mask([[1, 0]]))
    assert isinstance(result, Image)
    assert result.channels == 3
    assert result.array.tolist() == [[[7, 7, 7], [0, 0, 0]]]


def test_intensity_and_channels() -> None:
    """Colour has its luminance, channels are float32, alpha is 255 where there is none."""
    colour = image(np.array([[[10, 20, 30, 40]]], np.uint8), channels=4)
    expected = 0.2126 * 10 + 0.7152 * 20 + 0.0722 * 30
    assert voxels("vox1.intensity", colour).item() == pytest.approx(expected, rel=1e-6)
    for value, name in zip((10, 20, 30, 40), ("red", "green", "blue", "alpha"), strict=True):
        channel = call(f"vox1.{name}", colour)
        assert isinstance(channel, Image)
        assert (channel.channels, channel.array.dtype) == (1, np.dtype(np.float32))
        assert channel.array.item() == value
    grey = image(np.array([[5]], np.int16))
    assert voxels("vox1.intensity", grey).dtype == np.float32
    assert voxels("vox1.red", grey).item() == 5
    assert voxels("vox1.alpha", grey).item() == 255
    veiled = image(np.array([[[5, 9]]], np.uint8), channels=2)
    assert voxels("vox1.intensity", veiled).item() == 5
    assert voxels("vox1.alpha", veiled).item() == 9


def test_colour_images_are_made_of_channels() -> None:
    """Channels are clamped, rounded half to even, NaN is 0."""
    r = image(np.array([[-3, 0.5, 1.5, 999]], np.float32))
    g = image(np.array([[np.nan, 2.5, np.inf, -np.inf]], np.float32))
    result = call("vox1.rgb", r, g, r)
    assert isinstance(result, Image)
    assert (result.channels, result.array.dtype) == (3, np.dtype(np.uint8))
    assert result.array[0, :, 0].tolist() == [0, 0, 2, 255]
    assert result.array[0, :, 1].tolist() == [0, 2, 255, 0]
    four = call("vox1.rgba", r, r, r, r)
    assert isinstance(four, Image)
    assert four.channels == 4


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (2, 5), (3, 4, 5), (1, 3, 3), (4, 2, 1)])
def test_images_of_a_geometry(shape: tuple[int, ...]) -> None:
    """Border, indices and constants are what their definitions say."""
    geometry = image(np.zeros(shape, np.int16), (0.5,) * len(shape))
    indices = np.indices(shape)
    expected = np.zeros(shape, bool)
    for axis, extent in enumerate(shape):
        expected |= (indices[axis] == 0) | (indices[axis] == extent - 1)
    np.testing.assert_array_equal(voxels("vox1.border", geometry), expected)
    for name, axis in (("x", -1), ("y", -2), ("z", -3)):
        result = voxels(f"vox1.{name}", geometry)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, indices[axis] if len(shape) >= -axis else 0)
    np.testing.assert_array_equal(voxels("vox1.tt", geometry), np.ones(shape, np.uint8))
    np.testing.assert_array_equal(voxels("vox1.ff", geometry), np.zeros(shape, np.uint8))
    np.testing.assert_array_equal(voxels("vox1.constant", 2.5, geometry), np.full(shape, 2.5))
    np.testing.assert_array_equal(voxels("vox1.bconstant", True, geometry), np.ones(shape))
    border = call("vox1.border", geometry)
    assert isinstance(border, Image)
    assert border.spacing == geometry.spacing


def test_geometry_of_a_colour_image() -> None:
    """A colour image gives its geometry, not its channels."""
    result = call("vox1.tt", image(np.zeros((2, 2, 3), np.uint8), channels=3))
    assert isinstance(result, Image)
    assert (result.channels, result.array.shape) == (1, (2, 2))


def test_documents_have_no_geometry() -> None:
    """What a plan loads beside its images is passed over."""
    assert voxels("vox1.tt", {"a": 1}, mask([[0, 1]]), 3.0).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no image"),
        ((mask([[1]]), mask([[1, 0]])), "image 1x1 uint8.*image 1x2 uint8"),
        ((3.0, {"a": 1}), "no image"),
    ],
)
def test_geometry_needs_one_answer(arguments: tuple[Value, ...], words: str) -> None:
    """Without an image, or with images that differ, there is no geometry."""
    with pytest.raises(KernelError, match=words):
        call("vox1.border", *arguments)


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


def test_five_channels_have_no_alpha() -> None:
    """What is no grey, RGB or RGBA image is an error for every channel, alpha too."""
    strange = image(np.zeros((2, 2, 5), np.uint8), channels=5)
    for name in ("intensity", "red", "green", "blue", "alpha"):
        with pytest.raises(KernelError, match=rf"{name}: image 2x2 uint8 x5 is no grey"):
            call(f"vox1.{name}", strange)


SCALAR_ONLY = {
    **dict.fromkeys(("near", "interior", "maxvol", "lcc", "dt", "pdt", "fillholes", "volume"), ()),
    **dict.fromkeys(("not", "min", "max", "abs", "gradient"), ()),
    **dict.fromkeys(("smoothen", "erode", "dilate", "imopen", "imclose"), (1.0,)),
    **dict.fromkeys(("add_vs", "mul_vs", "sub_vs", "div_vs"), (1.0,)),
}


@pytest.mark.parametrize("name", sorted(SCALAR_ONLY))
def test_colour_where_one_channel_is_wanted(name: str) -> None:
    """The message says what to do."""
    colour = image(np.ones((2, 2, 3), np.uint8), channels=3)
    with pytest.raises(KernelError, match=rf"{name}: needs an image of one channel.*intensity"):
        call(f"vox1.{name}", colour, *SCALAR_ONLY[name])


def test_voxels_and_numbers_beyond_float32_are_infinite_and_silent() -> None:
    """Thresholds, channels, constants and means take them without a warning."""
    large = image(np.array([[1e300, 0.0]]))
    full = mask([[1, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert voxels("vox1.geq_sv", 1e300, large).tolist() == [[1, 0]]
        assert voxels("vox1.constant", 1e300, large).tolist() == [[np.inf, np.inf]]
        assert voxels("vox1.intensity", large).tolist() == [[np.inf, 0]]
        assert voxels("vox1.rgb", large, large, large)[0, 0].tolist() == [255, 255, 255]
        assert call("vox1.avg", large, full) == np.inf
        assert call("vox1.nsd", full, full, 1e300) == 1.0
    with pytest.raises(KernelError, match="geq_sv: an integer of 1329 bits is beyond float64"):
        call("vox1.geq_sv", 10**400, large)
    with pytest.raises(KernelError, match="num_add: an integer of 1329 bits"):
        call("vox1.num_add", 10**400, 1)
