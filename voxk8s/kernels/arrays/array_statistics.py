"""Counts and statistics of images and arrays, as mappings of numbers; thresholds for equality."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import (
    require_array,
    require_float32,
    require_number,
    require_scalar_image,
    require_two_arrays,
)
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.values import Array, Value


def count_pixels(image: Value, value: Value = None) -> Value:
    """Count the voxels that equal `value`, or those of every value.

    The result has the keys value, count, total_pixels and percentage; without `value`, the keys
    unique_values (ascending), counts, percentages and total_pixels.
    """
    array = _require_elements("count_pixels", image)
    total = array.size
    if value is not None:
        wanted = require_number("count_pixels", value)
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
    """Return `true_value` where the image equals the threshold, `false_value` elsewhere.

    Values are compared in float32. The result is uint8 if both values are integers from 0 to 255,
    else float32.
    """
    kernel = "threshold_equal"
    source = require_scalar_image(kernel, image)
    inside, outside = require_number(kernel, true_value), require_number(kernel, false_value)
    small = all(value.is_integer() and 0 <= value <= 255 for value in (inside, outside))
    kind = np.uint8 if small else np.float32
    equal = as_float32(source) == require_float32(kernel, threshold)
    with np.errstate(over="ignore"):
        return image_like(source, np.where(equal, kind(inside), kind(outside)))


def array_stats(image: Value) -> Value:
    """Return statistics of all elements in float64; NaN if the array contains NaN.

    The result has the keys mean, std (of the population), min, max, median, shape, total_elements
    and unique_values (their number).
    """
    array = _require_elements("array_stats", image)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):  # infinities and NaN are results
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
    """Count the equal elements of two arrays, and return statistics of `b - a` in float64.

    The result has the keys shapes_match, elements_equal, elements_different, total_elements,
    percent_equal, mean_difference, mean_absolute_difference, max_absolute_difference,
    min_difference and max_difference.
    """
    first, second = require_two_arrays("compare_arrays", a, b)
    equal = int(np.count_nonzero(first == second))
    with np.errstate(all="ignore"):  # the difference of two infinities is NaN
        difference = np.subtract(second, first, dtype=np.float64, casting="unsafe")
        mean, least, most = difference.mean(), difference.min(), difference.max()
        absolute = np.abs(difference, out=difference)
        return {
            "shapes_match": True,
            "elements_equal": equal,
            "elements_different": first.size - equal,
            "total_elements": first.size,
            "percent_equal": 100 * equal / first.size,
            "mean_difference": float(mean),
            "mean_absolute_difference": float(absolute.mean()),
            "max_absolute_difference": float(absolute.max()),
            "min_difference": float(least),
            "max_difference": float(most),
        }


def _require_elements(kernel: str, value: Value) -> Array:
    array = require_array(kernel, value)
    if not array.size:
        raise KernelError(f"{kernel}: expected at least one element, got an empty array")
    return array


def where_equal(kernel: str, array: Array, value: Value) -> NDArray[np.bool_]:
    """Return where an array equals a number: integers exactly, float32 in float32."""
    wanted = require_number(kernel, value)
    if array.dtype.kind in "iu" and wanted.is_integer() and isinstance(value, int | float):
        return np.equal(array, int(value))
    with np.errstate(over="ignore"):
        return np.equal(array, wanted)
