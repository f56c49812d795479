"""Tests of counts and statistics of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.support.images import call, image, mask, voxels
from voxk8s.errors import KernelError


def _mapping(name: str, *arguments: object) -> Mapping[str, Any]:
    result = call(f"arrays.{name}", *arguments)
    assert isinstance(result, dict)
    return result


def test_counts_of_values() -> None:
    """One value or all values are counted, ascending."""
    array = image(np.array([[3, 1, 3, 3]], np.int16))
    assert _mapping("count_pixels", array, 3.0) == {
        "value": 3.0,
        "count": 3,
        "total_pixels": 4,
        "percentage": 75.0,
    }
    everything = _mapping("count_pixels", array)
    assert everything["unique_values"] == [1, 3]
    assert everything["counts"] == [1, 3]


def test_statistics() -> None:
    """Statistics are numpy's in float64, of images, arrays and sequences."""
    values = [1.0, 2.0, 4.0, 4.0]
    for operand in (image(np.array([values], np.float32)), np.array([values]), [values]):
        stats = _mapping("array_stats", operand)
        assert stats["mean"] == 2.75
        assert stats["std"] == pytest.approx(np.std(values))
        assert (stats["min"], stats["max"], stats["median"]) == (1.0, 4.0, 3.0)
        assert (stats["shape"], stats["total_elements"], stats["unique_values"]) == ([1, 4], 4, 3)


def test_comparing_arrays() -> None:
    """Unsigned voxels do not wrap around."""
    result = _mapping("compare_arrays", image(np.array([[5, 1]], np.uint8)), mask([[1, 1]]))
    assert result["min_difference"] == -4.0
    assert result["mean_absolute_difference"] == 2.0
    assert (result["elements_equal"], result["percent_equal"]) == (1, 50.0)


def test_threshold_equal() -> None:
    """Values for equal and other voxels may be chosen."""
    array = image(np.array([[1.0, 2.0]], np.float32))
    assert voxels("arrays.threshold_equal", array, 2.0).tolist() == [[0, 1]]
    assert voxels("arrays.threshold_equal", array, 2, 255, 7).tolist() == [[7, 255]]
    assert voxels("arrays.threshold_equal", array, 2, 0.5, -1).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_large_integers_are_counted_exactly(dtype: type[np.generic]) -> None:
    """2^53 and its neighbour are two values, given as a float or as an integer."""
    array = image(np.array([[2**53, 2**53 + 1, 0]], dtype))
    assert _mapping("count_pixels", array, 2.0**53)["count"] == 1
    assert _mapping("count_pixels", array, 2**53 + 1)["count"] == 1
    assert _mapping("count_pixels", array, -1)["count"] == 0
    assert _mapping("count_pixels", array)["counts"] == [1, 1, 1]
    assert _mapping("dice_score", array, array, 2**53 + 1)["intersection"] == 1


def test_values_that_are_not_finite() -> None:
    """NaN and infinities follow IEEE 754, silently; NaN is no class and equals nothing."""
    array = image(np.array([[1.0, np.inf, -np.inf]], np.float32))
    holed = image(np.array([[1.0, np.nan, 0.0]], np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stats = _mapping("array_stats", array)
        assert (stats["min"], stats["max"], stats["median"]) == (-np.inf, np.inf, 1.0)
        assert np.isnan(stats["std"])
        assert np.isnan(_mapping("array_stats", holed)["median"])
        assert _mapping("compare_arrays", array, array)["elements_equal"] == 3
        assert _mapping("pixel_accuracy", holed, holed)["correct_pixels"] == 2
        assert _mapping("count_pixels", array, 1e300)["count"] == 1  # in float32, as thresholds
        assert voxels("arrays.threshold_equal", array, 1.0, 1e300).dtype == np.float32
        with pytest.raises(KernelError, match="confusion_matrix"):
            call("arrays.confusion_matrix", holed, holed)
