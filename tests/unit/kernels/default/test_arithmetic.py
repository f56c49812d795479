"""Tests of arithmetic over numbers, sequences and images."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import call, image, scalar_images
from voxk8s.errors import KernelError
from voxk8s.values import Image

NAMES = ("addition", "subtraction", "multiplication", "division")
OPERATORS: dict[str, Callable[[float, float], float]] = {
    "addition": operator.add,
    "subtraction": operator.sub,
    "multiplication": operator.mul,
    "division": operator.truediv,
}


@pytest.mark.parametrize("name", NAMES)
@given(a=st.integers(-(2**53), 2**53), b=st.integers(-(2**53), 2**53).filter(bool))
def test_whole_numbers_and_floats_give_the_same(name: str, a: int, b: int) -> None:
    """The form of a number does not matter, and the result is a float."""
    result = call(f"default.{name}", a, b)
    assert isinstance(result, float)
    assert result == call(f"default.{name}", float(a), float(b))
    assert result == OPERATORS[name](float(a), float(b))


def test_division_by_zero_is_an_error_between_numbers() -> None:
    """Dividing a number by zero fails for good and says so."""
    with pytest.raises(KernelError, match="division by zero"):
        call("default.division", 1.0, 0)


def test_overflow_is_an_error_between_numbers() -> None:
    """A result beyond float64 is no result."""
    with pytest.raises(KernelError, match="too large"):
        call("default.multiplication", 1e200, 1e200)
    with pytest.raises(KernelError, match="too large"):
        call("default.addition", 10**400, 1)


def test_division_of_images_follows_ieee() -> None:
    """Between images and numbers zero gives infinities and NaN."""
    result = call("default.division", image(np.array([[1.0, -1.0, 0.0]], np.float32)), 0.0)
    assert isinstance(result, Image)
    assert result.array[0, :2].tolist() == [math.inf, -math.inf]
    assert math.isnan(result.array[0, 2])


@pytest.mark.parametrize("name", NAMES)
@given(a=scalar_images((3, 4)), b=scalar_images((3, 4)))
def test_images_are_taken_voxel_by_voxel(name: str, a: Image, b: Image) -> None:
    """Two images of one geometry give float32 of the same geometry."""
    b = Image(b.array, a.spacing, a.origin, a.direction)
    result = call(f"default.{name}", a, b)
    assert isinstance(result, Image)
    with np.errstate(all="ignore"):
        expected = OPERATORS[name](a.array, b.array)  # type: ignore[arg-type]  # arrays add too
    assert result.array.dtype == np.float32
    np.testing.assert_array_equal(result.array, expected)
    assert result.spacing == a.spacing


def test_integer_images_become_float32() -> None:
    """uint8 does not wrap around, and the operands stay as they were."""
    a = image(np.array([[200, 100]], np.uint8))
    result = call("default.addition", a, 100)
    assert isinstance(result, Image)
    assert result.array.dtype == np.float32
    assert result.array.tolist() == [[300.0, 200.0]]
    assert a.array.tolist() == [[200, 100]]


def test_a_number_may_come_first() -> None:
    """The order of a number and an image is kept."""
    result = call("default.subtraction", 1.0, image(np.array([[3.0]], np.float32)))
    assert isinstance(result, Image)
    assert result.array.tolist() == [[-2.0]]


@pytest.mark.parametrize(
    "other",
    [
        image(np.zeros((2, 3), np.float32)),
        image(np.zeros((2, 2), np.float32), spacing=(1.0, 1.001)),
        image(np.zeros((2, 2), np.float32), origin=(0.0, 0.5)),
        image(np.zeros((2, 2, 2), np.float32)),
    ],
    ids=["size", "spacing", "origin", "rank"],
)
def test_different_geometry_is_an_error_that_names_both(other: Image) -> None:
    """Images are never broadcast."""
    with pytest.raises(KernelError, match=r"image 2x2 float32.*spacing.* and image 2x"):
        call("default.addition", image(np.zeros((2, 2), np.float32)), other)


def test_rounding_of_geometry_is_tolerated() -> None:
    """Differences up to 1e-5 are rounding of a file format."""
    a = image(np.zeros((2, 2), np.float32))
    b = image(np.ones((2, 2), np.float32), spacing=(1.000009, 1.0))
    assert isinstance(call("default.addition", a, b), Image)


def test_sequences_broadcast() -> None:
    """A value is taken for all items; two sequences go item by item, also nested."""
    assert call("default.division", [2, 4.0, [6]], 2) == [1.0, 2.0, [3.0]]
    assert call("default.subtraction", 10, [1, 2]) == [9.0, 8.0]
    assert call("default.addition", [1, 2], [10, 20]) == [11.0, 22.0]
    assert call("default.addition", np.array([1, 2]), 1) == [2.0, 3.0]


def test_an_image_with_a_sequence_gives_a_sequence() -> None:
    """An image is one value for all items of a sequence."""
    result = call("default.addition", image(np.zeros((1, 1), np.float32)), [1.0, 2.0])
    assert isinstance(result, list)
    assert [item.array.item() for item in result] == [1.0, 2.0]  # type: ignore[union-attr]  # images


def test_sequences_of_different_lengths_are_an_error() -> None:
    """Two sequences must have one length."""
    with pytest.raises(KernelError, match="2 and 3 items"):
        call("default.addition", [1, 2], [1, 2, 3])


def test_strings_do_not_add() -> None:
    """What is no number is named in the message."""
    with pytest.raises(KernelError, match="the string 'a'"):
        call("default.addition", "a", 1)


def test_floor() -> None:
    """Floor gives whole numbers of numbers, sequences and images."""
    assert call("default.floor", -1.5) == -2
    assert isinstance(call("default.floor", 2.0), int)
    assert call("default.floor", [1.9, 2]) == [1, 2]
    result = call("default.floor", image(np.array([[-0.5]], np.float32)))
    assert isinstance(result, Image)
    assert result.array.tolist() == [[-1.0]]
    with pytest.raises(KernelError):
        call("default.floor", math.inf)


def test_floor_of_integers_and_arrays() -> None:
    """An integer of any size is its own floor, an array is taken item by item."""
    assert call("default.floor", 10**400) == 10**400
    assert call("default.floor", np.array([1.5, -0.5])) == [1, -1]


def test_integers_beyond_float64_are_errors() -> None:
    """They are no operand of an image either."""
    for name in NAMES:
        with pytest.raises(KernelError, match=f"{name}: an integer of 1329 bits"):
            call(f"default.{name}", image(np.ones((1, 1), np.float32)), 10**400)


def test_what_is_beyond_float32_is_infinite_and_silent() -> None:
    """Numbers and voxels of float64 become infinities, without a warning."""
    large = image(np.array([[1e300, -1e300]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = call("default.addition", large, 1e300)
    assert isinstance(result, Image)
    assert result.array[0, 0] == math.inf
    assert math.isnan(result.array[0, 1])
