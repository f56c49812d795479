"""Values of every kind, and what it means that two of them are the same."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from voxk8s.values import Image, SavedFile, Value

_NOISE = np.random.default_rng(7)
_TURN = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)

SAMPLES: dict[str, Value] = {
    "none": None,
    "true": True,
    "zero": 0,
    "float zero": 0.0,
    "negative zero": -0.0,
    "infinity": math.inf,
    "nan": math.nan,
    "tiny": 5e-324,
    "least 64-bit": -(1 << 63),
    "most 64-bit": (1 << 64) - 1,
    "beyond 64-bit": 1 << 64,
    "enormous": -(1 << 20_000),
    "empty text": "",
    "text": "Größe \u0000 \U0001f9e0",
    "long text": "ab" * 50_000,
    "empty list": [],
    "empty mapping": {},
    "mixed list": [1, 1.0, True, None, "1", [1, [2.5]], {"b": 1, "a": [{}]}],
    "long list": [float(i) for i in range(20_000)],
    "0-d array": np.array(3, dtype="int16"),
    "empty array": np.empty((0, 4), dtype="float32"),
    "bool array": np.array([[True, False], [False, False]]),
    "complex array": np.array([1 + 2j, math.inf * 1j]),
    "half array": np.array([1.5, -0.0], dtype="float16"),
    "big-endian array": np.arange(5, dtype=">i4"),
    "text array": np.array(["a", "longer", ""]),
    "bytes array": np.array([b"a", b"bc"]),
    "dates": np.array(["2020-01-01", "NaT"], dtype="datetime64[s]"),
    "fortran array": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "strided array": np.arange(100)[::3],
    "reversed array": np.arange(10, dtype="uint8")[::-1],
    "special floats": np.array([math.nan, -0.0, math.inf, -math.inf, 5e-324]),
    "noise": _NOISE.normal(size=(60, 70, 80)).astype("float32"),
    "mask": (_NOISE.normal(size=(60, 70, 80)) > 2).astype("uint8"),
    "nested arrays": {"xs": [np.arange(3), {"y": np.eye(2)}], "n": 1, "e": np.empty(0)},
    "image": Image(
        _NOISE.normal(size=(4, 5, 6)).astype("float32"), (1.0, 0.5, 2.0), (-3.0, 0.0, 9.5), _TURN
    ),
    "colour image": Image(
        np.zeros((5, 6, 3), "uint8"), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0), 3
    ),
    "images": [Image(np.ones((2, 2)), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))] * 2,
    "file": SavedFile(b"\x89PNG", ".png", "image/png"),
    "empty file": SavedFile(b"", ".txt", "text/plain"),
    "large file": SavedFile(_NOISE.bytes(300_000), ".bin", "application/octet-stream"),
}


def same(one: object, other: object) -> bool:
    """Whether two values are equal in type and to the last bit; memory order does not matter."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return (
            one.dtype == other.dtype
            and one.dtype.str == other.dtype.str
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, Image) and isinstance(other, Image):
        return (
            same(one.array, other.array)
            and one.spacing == other.spacing
            and one.origin == other.origin
            and one.direction == other.direction
            and one.channels == other.channels
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, float) and isinstance(other, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    return type(one) is type(other) and one == other
