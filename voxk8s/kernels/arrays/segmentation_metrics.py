"""Segmentation metrics of a prediction against the ground truth.

Arguments are images of one geometry or arrays of one shape, else KernelError. Results are mappings
of numbers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_integer, require_two_arrays
from voxk8s.kernels.arrays.array_statistics import where_equal
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.values import Array, Value

_MOST_CLASSES: Final = 4096


def pixel_accuracy(predicted: Value, truth: Value) -> Value:
    """Return the fraction of equal voxels.

    The result has the keys accuracy, correct_pixels, incorrect_pixels and total_pixels.
    """
    first, second = require_two_arrays("pixel_accuracy", predicted, truth)
    total, correct = first.size, int(np.count_nonzero(first == second))
    return {
        "accuracy": correct / total,
        "correct_pixels": correct,
        "total_pixels": total,
        "incorrect_pixels": total - correct,
    }


def confusion_matrix(predicted: Value, truth: Value, classes: Value = None) -> Value:
    """Count voxels by true class (row) and predicted class (column).

    Classes are integers from 0 to `classes` - 1, by default to the largest one found; at most 4096.
    The result has the keys confusion_matrix, num_classes, precision, recall and f1_score (one
    number per class, 0 where undefined), and mean_precision, mean_recall and mean_f1_score.
    """
    kernel = "confusion_matrix"
    first, second = require_two_arrays(kernel, predicted, truth)
    columns, rows = _classes(kernel, first), _classes(kernel, second)
    largest = int(max(columns.max(), rows.max()))
    count = largest + 1 if classes is None else require_integer(kernel, classes)
    if not largest < count <= _MOST_CLASSES:
        raise KernelError(
            f"{kernel}: expected more than {largest} (the largest class) and at most"
            f" {_MOST_CLASSES} classes, got {count}"
        )
    matrix = np.bincount(rows * count + columns, minlength=count * count).reshape(count, count)
    hits = np.diag(matrix).astype(np.float64)
    precision = _divide(hits, matrix.sum(axis=0))
    recall = _divide(hits, matrix.sum(axis=1))
    score = _divide(2 * precision * recall, precision + recall)
    return {
        "confusion_matrix": matrix.tolist(),
        "num_classes": count,
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1_score": score.tolist(),
        "mean_precision": float(precision.mean()),
        "mean_recall": float(recall.mean()),
        "mean_f1_score": float(score.mean()),
    }


def dice_score(predicted: Value, truth: Value, positive: Value = None) -> Value:
    """Return the Dice coefficient 2 |A & B| / (|A| + |B|); 1 for two empty sets.

    The sets are the voxels that equal `positive`, by default those that are not zero. The result
    has the keys dice_score, intersection, predicted_positive and ground_truth_positive.
    """
    both, first, second = _overlap("dice_score", predicted, truth, positive)
    return {
        "dice_score": 2 * both / (first + second) if first + second else 1.0,
        "intersection": both,
        "predicted_positive": first,
        "ground_truth_positive": second,
    }


def jaccard_index(predicted: Value, truth: Value, positive: Value = None) -> Value:
    """Return the Jaccard index |A & B| / |A | B|; 1 for two empty sets.

    The sets are the voxels that equal `positive`, by default those that are not zero. The result
    has the keys jaccard_index, iou (the same number), intersection and union.
    """
    both, first, second = _overlap("jaccard_index", predicted, truth, positive)
    union = first + second - both
    index = both / union if union else 1.0
    return {"jaccard_index": index, "iou": index, "intersection": both, "union": union}


def _overlap(kernel: str, predicted: Value, truth: Value, positive: Value) -> tuple[int, int, int]:
    first, second = (
        BitVolume.pack(
            (array if positive is None else where_equal(kernel, array, positive)).reshape(1, -1)
        )
        for array in require_two_arrays(kernel, predicted, truth)
    )
    return (first & second).count(), first.count(), second.count()


def _classes(kernel: str, array: Array) -> NDArray[np.int64]:
    flat = array.reshape(-1)
    with np.errstate(
        invalid="ignore"
    ):  # fractions and NaN differ from the integers they are cast to
        values = flat.astype(np.int64)
    if not (values == flat).all() or values.min() < 0:
        raise KernelError(f"{kernel}: expected classes that are whole numbers >= 0")
    return values


def _divide(
    numerator: NDArray[np.float64], denominator: NDArray[np.generic]
) -> NDArray[np.float64]:
    divisor = denominator.astype(np.float64)
    result = np.zeros_like(numerator)
    np.divide(numerator, divisor, out=result, where=divisor > 0)
    return result
