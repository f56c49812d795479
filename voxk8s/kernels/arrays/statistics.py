"""Counts and statistics of images and arrays, as mappings of numbers."""

from __future__ import annotations

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.arrays.operands import array_of, two_arrays, where_equal
from voxk8s.kernels.images import as_float32, float32_number, image_like, number, scalar_image
from voxk8s.values import Array, Value


def count_pixels(image: Value, value: Value = None) -> Value:
    """Count the voxels that equal `value`: value, count, total_pixels, percentage.

    Without `value`, those of every value, ascending: unique_values, counts, percentages,
    total_pixels.
    """
    array = _filled("count_pixels", image)
    total = array.size
    if value is not None:
        wanted = number("count_pixels", value)
        count = int(np.count_nonzero(where_equal("count_pixels", array, value)))
        return {
            "value": wanted,
            "count": count,
            "total_pixels": total,
            "percentage": 100 * count / total,
        }
    values, counts = np.unique(array, return_counts=True)
    return {
        "unique_values": values.tolist(),
        "counts": counts.tolist(),
        "total_pixels": total,
        "percentages": (100 * counts / total).tolist(),
    }


def threshold_equal(
    image: Value, threshold: Value, true_value: Value = 1, false_value: Value = 0
) -> Value:
    """Give `true_value` where the image equals the threshold, `false_value` elsewhere.

    Comparison is in float32. The result is uint8 if both values are whole numbers from 0 to 255,
    else float32.
    """
    kernel = "threshold_equal"
    source = scalar_image(kernel, image)
    inside, outside = number(kernel, true_value), number(kernel, false_value)
    small = all(value.is_integer() and 0 <= value <= 255 for value in (inside, outside))
    kind = np.uint8 if small else np.float32
    equal = as_float32(source) == float32_number(kernel, threshold)
    with np.errstate(over="ignore"):
        return image_like(source, np.where(equal, kind(inside), kind(outside)))


def array_stats(image: Value) -> Value:
    """Give mean, std (of the population), min, max, median, shape and counts, in float64.

    NaN, if there is one, is what all statistics are then.
    """
    array = _filled("array_stats", image)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):  # IEEE 754: infinities and NaN are results
        return {
            "mean": float(wide.mean()),
            "std": float(wide.std()),
            "min": float(wide.min()),
            "max": float(wide.max()),
            "median": float(np.median(wide)),
            "shape": list(array.shape),
            "total_elements": array.size,
            "unique_values": int(np.unique(array).size),
        }


def compare_arrays(a: Value, b: Value) -> Value:
    """Compare two arrays: counts of equal elements, and statistics of `b - a` in float64."""
    first, second = two_arrays("compare_arrays", a, b)
    equal = int(np.count_nonzero(first == second))
    with np.errstate(all="ignore"):  # of two infinities the difference is NaN
        difference = second.astype(np.float64) - first.astype(np.float64)
        apart = np.abs(difference)
        return {
            "shapes_match": True,
            "elements_equal": equal,
            "elements_different": first.size - equal,
            "total_elements": first.size,
            "percent_equal": 100 * equal / first.size,
            "mean_difference": float(difference.mean()),
            "mean_absolute_difference": float(apart.mean()),
            "max_absolute_difference": float(apart.max()),
            "min_difference": float(difference.min()),
            "max_difference": float(difference.max()),
        }


def _filled(kernel: str, value: Value) -> Array:
    array = array_of(kernel, value)
    if not array.size:
        raise KernelError(f"{kernel}: the array is empty")
    return array
