"""Tests of metrics and statistics of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.images import call, image, mask, mask_pairs, voxels
from voxk8s.errors import KernelError
from voxk8s.values import Image


def _mapping(name: str, *arguments: object) -> Mapping[str, Any]:
    result = call(f"arrays.{name}", *arguments)
    assert isinstance(result, dict)
    return result


@given(pair=mask_pairs())
def test_overlap_of_masks(pair: tuple[Image, Image]) -> None:
    """Dice and Jaccard are those of the sets of true voxels."""
    first = {tuple(place) for place in np.argwhere(pair[0].array)}
    second = {tuple(place) for place in np.argwhere(pair[1].array)}
    both, either = len(first & second), len(first | second)
    dice, jaccard = _mapping("dice_score", *pair), _mapping("jaccard_index", *pair)
    total = len(first) + len(second)
    assert dice == {
        "dice_score": pytest.approx(2 * both / total if total else 1.0),
        "intersection": both,
        "predicted_positive": len(first),
        "ground_truth_positive": len(second),
    }
    index = pytest.approx(both / either if either else 1.0)
    assert jaccard == {"jaccard_index": index, "iou": index, "intersection": both, "union": either}


def test_overlap_of_one_label() -> None:
    """A positive label picks its voxels; without one all that is not zero counts."""
    a, b = image(np.array([[1, 2, 2, 0]])), image(np.array([[2, 2, 1, 0]]))
    assert _mapping("dice_score", a, b, 2)["dice_score"] == 0.5
    assert _mapping("dice_score", a, b)["dice_score"] == 1.0


classes = hnp.arrays(np.uint8, (3, 7), elements=st.integers(0, 3))


@given(predicted=classes, truth=classes)
def test_confusion(predicted: np.ndarray, truth: np.ndarray) -> None:
    """The matrix counts pairs, precision and recall follow, accuracy is its diagonal."""
    result = _mapping("confusion_matrix", image(predicted), image(truth), 4)
    matrix = np.zeros((4, 4), int)
    for p, t in zip(predicted.ravel(), truth.ravel(), strict=True):
        matrix[t, p] += 1
    assert result["confusion_matrix"] == matrix.tolist()
    for c in range(4):
        column, row = matrix[:, c].sum(), matrix[c].sum()
        assert result["precision"][c] == (matrix[c, c] / column if column else 0)
        assert result["recall"][c] == (matrix[c, c] / row if row else 0)
    accuracy = _mapping("pixel_accuracy", image(predicted), image(truth))
    assert accuracy["correct_pixels"] == np.trace(matrix)
    assert accuracy["accuracy"] == np.trace(matrix) / matrix.sum()


def test_confusion_needs_classes() -> None:
    """Fractions, negative numbers and too few classes are errors."""
    good = image(np.array([[0, 1]]))
    for bad in (np.array([[0.5, 1]]), np.array([[-1, 1]]), np.array([[0, 5]])):
        with pytest.raises(KernelError, match="confusion_matrix"):
            call("arrays.confusion_matrix", image(bad), good, 3)


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


@pytest.mark.parametrize(
    "name", ["dice_score", "jaccard_index", "pixel_accuracy", "confusion_matrix", "compare_arrays"]
)
def test_different_shapes_are_errors(name: str) -> None:
    """Images of different geometry are named, arrays of different shape too."""
    with pytest.raises(KernelError, match=r"image 1x1.*image 1x2"):
        call(f"arrays.{name}", mask([[1]]), mask([[1, 1]]))
    with pytest.raises(KernelError, match="differ"):
        call(f"arrays.{name}", [1.0], [1.0, 2.0])
    with pytest.raises(KernelError, match="the string"):
        call(f"arrays.{name}", "a", [1.0])


@pytest.mark.parametrize("items", [["1", 2], [None, 1.0], [10**400], [[1, 2], [3]], [{"a": 1}]])
def test_sequences_of_anything_but_numbers_are_errors(items: list[object]) -> None:
    """Digits in a string are no number, nor is nothing, nor an integer beyond 64 bits."""
    with pytest.raises(KernelError, match="array_stats: a sequence of"):
        call("arrays.array_stats", items)


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
