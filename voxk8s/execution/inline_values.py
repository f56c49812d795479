"""How large values are in memory, and one line that stands for a large one."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping

import msgspec
import numpy as np

from voxk8s.constants import INLINE_VALUE_BYTES
from voxk8s.describe import describe_image
from voxk8s.values import Image, SavedFile, Value

SKELETON_BYTES = 4 * 2**20

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()
_BREAKS = {ord(sign): repr(sign)[1:-1] for sign in "\n\r\v\f\x1c\x1d\x1e"} | {
    ord(sign): f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"
}
"""Everything that ends a line somewhere, as escapes; in JSON only the last three can occur."""
_SCALARS = (bool, int, float, str, type(None))


def value_bytes(value: object) -> int:
    """Size of a value in memory; containers count their items, without recursion."""
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Image):
            total += item.array.nbytes
        elif isinstance(item, np.ndarray):
            total += item.nbytes
        elif isinstance(item, SavedFile):
            total += len(item.data)
        elif isinstance(item, Mapping):
            total += sys.getsizeof(item)
            stack.extend(item.keys())
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            total += sys.getsizeof(item)
            stack.extend(item)
        else:
            total += sys.getsizeof(item)
    return total


def encode_inline(value: Value) -> bytes | None:
    """Encode a plain value that is small enough to travel with a report; None for any other."""
    if not _is_plain(value, INLINE_VALUE_BYTES):
        return None
    try:
        data = _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None  # integers beyond 64 bits, lone surrogates, odd keys: by way of the store
    return data if len(data) <= INLINE_VALUE_BYTES else None


def encode_skeleton(value: Value) -> bytes | None:
    """Encode of a sequence what a loop over it must know: its length and its scalars.

    Everything else in it is written as null. None for what is no sequence, or too long a one.
    """
    if not isinstance(value, list | tuple):
        return None
    try:
        data = _encoder.encode([item if type(item) in _SCALARS else None for item in value])
    except (TypeError, ValueError, OverflowError):
        return None
    return data if len(data) <= SKELETON_BYTES else None


def decode_inline(data: bytes) -> Value:
    """Decode what `encode_inline` made."""
    value: Value = _decoder.decode(data)
    return value


def describe(value: Value, limit: int = INLINE_VALUE_BYTES) -> str:
    """Write a value as one line: `image 155x240x240 float32`, numbers, text, compact JSON.

    Text is bare with its line breaks escaped, and what is no Unicode; anything longer than `limit`
    characters is cut.
    """
    match value:
        case Image():
            return describe_image(value)
        case np.ndarray():
            return f"array {'x'.join(map(str, value.shape))} {value.dtype}"
        case SavedFile():
            return f"file {value.suffix} {len(value.data)} bytes"
        case str():
            line = value
        case bool():
            line = "true" if value else "false"
        case None:
            line = "null"
        case int() | float():
            line = repr(value)
        case _:
            try:
                line = _compact(value)
            except ValueError:
                line = _compact(_finite(value))
    line = line.translate(_BREAKS)
    if not line.isascii():
        line = line.encode("utf-8", "backslashreplace").decode()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _compact(value: object) -> str:
    return json.dumps(
        value,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_describe_inside,
    )


def _finite(value: object) -> object:
    """Write numbers that JSON lacks as text, as they are printed alone."""
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    return value


def _describe_inside(value: object) -> object:
    if isinstance(value, Image | np.ndarray | SavedFile):
        return describe(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _is_plain(value: object, budget: int) -> bool:
    """Say whether a value consists of JSON parts only, and of few enough to be small."""
    stack = [value]
    while stack:
        budget -= 1
        if budget < 0:
            return False
        item = stack.pop()
        if type(item) is list:
            stack.extend(item)
        elif type(item) is dict:
            if not all(type(key) is str for key in item):
                return False
            stack.extend(item.values())
        elif type(item) not in _SCALARS:
            return False
    return True
