"""One line about a value that is too large to be shown."""

from __future__ import annotations

import numpy as np

from voxk8s.values import Array, Image, SavedFile, Value


def describe(value: Value) -> str | None:
    """Kind, shape and dtype, as in `image 155x240x240 float32`; None for scalars and JSON."""
    if isinstance(value, Image):
        channels = "" if value.channels == 1 else f" x{value.channels}"
        return f"image {_shape(value.array, value.dimension)}{channels}"
    if isinstance(value, np.ndarray):
        return f"array {_shape(value)}"
    if isinstance(value, SavedFile):
        return f"file {value.suffix} {len(value.data)} bytes"
    return None


def _shape(array: Array, axes: int | None = None) -> str:
    sizes = "x".join(str(size) for size in array.shape[:axes])
    return f"{sizes} {array.dtype}" if sizes else str(array.dtype)
