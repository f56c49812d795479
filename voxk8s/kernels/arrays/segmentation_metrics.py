"""How well a prediction agrees with the truth: accuracy, confusion, Dice, Jaccard.

Operands are images of one geometry (else KernelError names both) or arrays of one shape. Results
are mappings of numbers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arrays.operands import two_arrays, where_equal
from voxk8s.kernels.default.sequences import whole
from voxk8s.values import Array, Value

_MOST_CLASSES: Final = 4096


def pixel_accuracy(predicted: Value, truth: Value) -> Value:
    """Count equal voxels: accuracy, correct_pixels, incorrect_pixels, total_pixels."""
    first, second = two_arrays("pixel_accuracy", predicted, truth)
    total, correct = first.size, int(np.count_nonzero(first == second))
    return {
        "accuracy": correct / total,
        "correct_pixels": correct,
        "total_pixels": total,
        "incorrect_pixels": total - correct,
    }


def confusion_matrix(predicted: Value, truth: Value, classes: Value = None) -> Value:
    """Count voxels by true class (row) and predicted class (column), with what follows from it.

    Classes are whole numbers from 0; without `classes` there is one more than the largest. Gives
    confusion_matrix, num_classes, precision, recall, f1_score (one a class, 0 where undefined) and
    their means.
    """
    kernel = "confusion_matrix"
    first, second = two_arrays(kernel, predicted, truth)
    columns, rows = _classes(kernel, first), _classes(kernel, second)
    largest = int(max(columns.max(), rows.max()))
    count = largest + 1 if classes is None else whole(kernel, classes)
    if not largest < count <= _MOST_CLASSES:
        raise KernelError(
            f"{kernel}: there are classes up to {largest} and {count} were asked for; at most"
            f" {_MOST_CLASSES} are counted"
        )
    matrix = np.bincount(rows * count + columns, minlength=count * count).reshape(count, count)
    hits = np.diag(matrix).astype(np.float64)
    precision = _ratio(hits, matrix.sum(axis=0))
    recall = _ratio(hits, matrix.sum(axis=1))
    score = _ratio(2 * precision * recall, precision + recall)
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
    """Give 2 |A and B| / (|A| + |B|): dice_score, intersection and the sizes of both.

    Voxels count when they are not zero, or equal `positive` if that is given. Two empty masks
    agree: 1.
    """
    both, first, second = _overlap("dice_score", predicted, truth, positive)
    return {
        "dice_score": 2 * both / (first + second) if first + second else 1.0,
        "intersection": both,
        "predicted_positive": first,
        "ground_truth_positive": second,
    }


def jaccard_index(predicted: Value, truth: Value, positive: Value = None) -> Value:
    """Give |A and B| / |A or B|: jaccard_index (also as iou), intersection and union.

    Voxels count when they are not zero, or equal `positive` if that is given. Two empty masks
    agree: 1.
    """
    both, first, second = _overlap("jaccard_index", predicted, truth, positive)
    union = first + second - both
    index = both / union if union else 1.0
    return {"jaccard_index": index, "iou": index, "intersection": both, "union": union}


def _overlap(kernel: str, predicted: Value, truth: Value, positive: Value) -> tuple[int, int, int]:
    first, second = (
        array != 0 if positive is None else where_equal(kernel, array, positive)
        for array in two_arrays(kernel, predicted, truth)
    )
    count = np.count_nonzero
    return int(count(first & second)), int(count(first)), int(count(second))


def _classes(kernel: str, array: Array) -> NDArray[np.int64]:
    flat = array.reshape(-1)
    with np.errstate(invalid="ignore"):  # what is no integer differs from what it becomes
        values = flat.astype(np.int64)
    if not (values == flat).all() or values.min() < 0:
        raise KernelError(f"{kernel}: classes must be whole numbers from 0 on")
    return values


def _ratio(above: NDArray[np.float64], below: NDArray[np.generic]) -> NDArray[np.float64]:
    whole_below = below.astype(np.float64)
    result = np.zeros_like(above)
    np.divide(above, whole_below, out=result, where=whole_below > 0)
    return result
