"""The size of values in memory, and plain values in MessagePack."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from voxk8s.constants import INLINE_VALUE_BYTES
from voxk8s.values import Image, SavedFile, Value

SKELETON_BYTES = 4 * 2**20

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()
_SCALARS = frozenset({bool, int, float, str, type(None)})


def value_bytes(value: object) -> int:
    """Return the size of a value in memory; containers count their items, without recursion."""
    if type(value) in _SCALARS:
        return sys.getsizeof(value)
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Image | np.ndarray):
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


def most_voxels(values: Iterable[object]) -> int:
    """Return the size of the largest image or array among values; 0 if there is none."""
    most = 0
    for each in values:
        if type(each) in _SCALARS:
            continue
        if isinstance(each, Image | np.ndarray):
            most = max(most, math.prod(each.shape))
    return most


def encode_inline(value: Value) -> bytes | None:
    """Encode a plain value that is small enough for a report; return None for any other."""
    if not _is_plain(value, INLINE_VALUE_BYTES):
        return None
    try:
        data = _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None  # integers beyond 64 bits, lone surrogates, odd keys: by way of the store
    return data if len(data) <= INLINE_VALUE_BYTES else None


def encode_skeleton(value: Value) -> bytes | None:
    """Encode the length and the scalars of a sequence, which is what a loop over it needs.

    All other elements are null. Returns None for other values and for very long sequences.
    """
    if not isinstance(value, list | tuple):
        return None
    try:
        data = _encoder.encode([item if type(item) in _SCALARS else None for item in value])
    except (TypeError, ValueError, OverflowError):
        return None
    return data if len(data) <= SKELETON_BYTES else None


def decode_inline(data: bytes) -> Value:
    """Decode a value of `encode_inline` or `encode_skeleton`."""
    value: Value = _decoder.decode(data)
    return value


def _is_plain(value: object, budget: int) -> bool:
    """Whether a value consists of JSON values only, of at most `budget` of them."""
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
