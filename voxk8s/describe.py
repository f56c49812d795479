"""Values as text: for error messages, records, `print` goals and JSON output."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from voxk8s.constants import INLINE_VALUE_BYTES
from voxk8s.redact import visible
from voxk8s.values import Array, Image, SavedFile, Value

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_SHOWN_BITS: Final = 128
_LINE_BREAKS: Final = {ord(sign): repr(sign)[1:-1] for sign in "\n\r\v\f\x1c\x1d\x1e"} | {
    ord(sign): f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"
}
"""Every character at which `str.splitlines` splits, and its escape sequence."""


def describe(value: Value) -> str:
    """Return a short description for a message: `the number 3.0`, `image 155x240x240 float32`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, int | float):
        return f"the number {value!r}"
    if isinstance(value, str):
        return f"the string {value[:40] + '…' if len(value) > 40 else value!r}"
    if isinstance(value, Image | np.ndarray | SavedFile):
        return _summary(value)
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)} entries"
    return f"a sequence of {len(value)} items"


def describe_geometry(image: Image) -> str:
    """Return shape, dtype, spacing, origin and direction of an image."""
    return f"{_summary(image)}, {describe_grid(image.spacing, image.origin, image.direction)}"


def describe_grid(
    spacing: tuple[float, ...], origin: tuple[float, ...], direction: tuple[float, ...]
) -> str:
    """Return spacing, origin and direction of an image."""
    return (
        f"spacing {_numbers(spacing)}, origin {_numbers(origin)}, direction {_numbers(direction)}"
    )


def summary(value: Value) -> str | None:
    """Return kind, shape and dtype of an image, array or file; None for other values.

    `image 155x240x240 float32` has the axes z, y, x; `image 512x512 uint8 x3` has three channels.
    Records hold this line, so it must not change.
    """
    return _summary(value) if isinstance(value, Image | np.ndarray | SavedFile) else None


def as_json(value: Value, *, whole_arrays: bool = False) -> Json:
    """Return a value as JSON data, with NaN and infinities as strings.

    Images and files are replaced by their summaries, and so are arrays unless `whole_arrays`.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.ndarray) and whole_arrays:
        return as_json(value.tolist(), whole_arrays=True)
    if isinstance(value, Image | np.ndarray | SavedFile):
        return _summary(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(item, whole_arrays=whole_arrays) for key, item in value.items()}
    return [as_json(item, whole_arrays=whole_arrays) for item in value]


def as_text(value: Value, *, whole_arrays: bool = True) -> str:
    """Return the text that `print` and conversions to strings give.

    Numbers are written as Python's repr, strings without quotes, sequences, mappings and, unless
    `whole_arrays` is false, arrays as compact JSON; images and files are summaries.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Image | SavedFile) or (isinstance(value, np.ndarray) and not whole_arrays):
        return _summary(value)
    convert = partial(as_json, whole_arrays=whole_arrays)
    try:
        return _compact(value, convert)
    except ValueError:  # NaN or infinity in it
        return _compact(convert(value), convert)


def as_line(value: Value, limit: int = INLINE_VALUE_BYTES) -> str:
    """Return the line that stands for a value in the output of a run: `image 155x240x240 float32`.

    It is the text of `as_text` with arrays as summaries, line breaks and lone surrogates escaped,
    and cut to `limit` characters.
    """
    line = one_line(as_text(value, whole_arrays=False))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def one_line(text: str) -> str:
    """Return a text with line breaks, control characters and lone surrogates escaped."""
    line = visible(text.translate(_LINE_BREAKS))
    return line if line.isascii() else line.encode("utf-8", "backslashreplace").decode()


def _compact(value: object, convert: partial[Json]) -> str:
    return json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=convert
    )


def _summary(value: Image | SavedFile | Array) -> str:
    if isinstance(value, SavedFile):
        return f"file {value.suffix} {len(value.data)} bytes"
    if isinstance(value, Image):
        channels = "" if value.channels == 1 else f" x{value.channels}"
        return f"image {_shape(value.array.shape[: value.dimension])}{value.array.dtype}{channels}"
    return f"array {_shape(value.shape)}{value.dtype}"


def _shape(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes)) + " " if sizes else ""


def _numbers(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:.9g}" for number in numbers) + ")"
