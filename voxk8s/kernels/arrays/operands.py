"""The operands of array kernels: voxels of images, arrays, or sequences of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.images import check_geometry, number
from voxk8s.values import Array, Image, Value


def array_of(kernel: str, value: Value) -> Array:
    """Give the numbers of an image, an array or a sequence; KernelError for anything else."""
    if isinstance(value, Image):
        return value.array
    if isinstance(value, list):
        try:
            made = np.asarray(value)
        except ValueError as error:
            raise KernelError(f"{kernel}: {describe(value)} is no array of numbers") from error
        # What else becomes an array: strings of digits, nothing, integers beyond 64 bits.
        if made.dtype.kind not in "buif":
            raise KernelError(f"{kernel}: {describe(value)} has items that are no numbers")
        return made.astype(np.float64)
    if isinstance(value, np.ndarray) and value.dtype.kind in "buif":
        return value
    raise KernelError(f"{kernel}: needs an image or an array, not {describe(value)}")


def two_arrays(kernel: str, a: Value, b: Value) -> tuple[Array, Array]:
    """Give the numbers of two operands of one shape; of one geometry if both are images."""
    if isinstance(a, Image) and isinstance(b, Image):
        check_geometry(kernel, a, b)
    first, second = array_of(kernel, a), array_of(kernel, b)
    if first.shape != second.shape:
        raise KernelError(f"{kernel}: the shapes {first.shape} and {second.shape} differ")
    if not first.size:
        raise KernelError(f"{kernel}: the arrays are empty")
    return first, second


def where_equal(kernel: str, array: Array, value: Value) -> NDArray[np.bool_]:
    """Tell where an array equals a number: integers exactly, float32 in float32."""
    wanted = number(kernel, value)
    if array.dtype.kind in "iu" and wanted.is_integer() and isinstance(value, int | float):
        return np.equal(array, int(value))
    with np.errstate(over="ignore"):
        return np.equal(array, wanted)
