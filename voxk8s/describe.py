"""Values in words, for error messages and for print goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from voxk8s.values import Image, SavedFile, Value

_LEGIBLE_BITS: Final = 128


def describe(value: Value) -> str:
    """Say what a value is, shortly: `the number 3.0`, `image 155x240x240 float32`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int) and value.bit_length() > _LEGIBLE_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, int | float):
        return f"the number {value!r}"
    if isinstance(value, str):
        return f"the string {value[:40] + '…' if len(value) > 40 else value!r}"
    if isinstance(value, Image):
        return describe_image(value)
    if isinstance(value, np.ndarray):
        return f"array {'x'.join(map(str, value.shape))} {value.dtype}"
    if isinstance(value, SavedFile):
        return f"file {value.suffix} of {len(value.data)} bytes"
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)} entries"
    return f"a sequence of {len(value)} items"


def describe_image(image: Image) -> str:
    """`image 155x240x240 float32`: axes z, y, x; channels, if any, as in `512x512 uint8 x3`."""
    shape = "x".join(map(str, image.array.shape[: image.dimension]))
    channels = "" if image.channels == 1 else f" x{image.channels}"
    return f"image {shape} {image.array.dtype}{channels}"


def describe_geometry(image: Image) -> str:
    """Say size, spacing, origin and direction of an image."""
    return (
        f"{describe_image(image)}, spacing {_numbers(image.spacing)}, origin"
        f" {_numbers(image.origin)}, direction {_numbers(image.direction)}"
    )


def _numbers(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:.9g}" for number in numbers) + ")"
