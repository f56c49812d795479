"""The operands of array kernels: voxels of images, arrays, or sequences of numbers."""

from __future__ import annotations

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.images import check_geometry
from voxk8s.kernels.text import describe
from voxk8s.values import Array, Image, Value


def array_of(kernel: str, value: Value) -> Array:
    """Give the numbers of an image, an array or a sequence; KernelError for anything else."""
    if isinstance(value, Image):
        return value.array
    if isinstance(value, list):
        try:
            made: Array = np.asarray(value, np.float64)
        except (ValueError, TypeError) as error:
            raise KernelError(f"{kernel}: {describe(value)} is no array of numbers") from error
        return made
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
