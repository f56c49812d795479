"""Tests of segmentation metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.images import call, image, mask_pairs
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
