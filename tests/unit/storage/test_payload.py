"""The payload of an encoded value: which values it takes, and how deep; what it refuses to read."""

from __future__ import annotations

import struct
from enum import Enum

import msgspec
import numpy as np
import pytest

from tests.support.values import same
from voxk8s.errors import CorruptBlob, UnsupportedValue
from voxk8s.storage.payload import MAX_DEPTH
from voxk8s.storage.value_codec import decode, encode
from voxk8s.values import SavedFile, Value

HEAD = struct.Struct("<4sBB2xQQ40x")
"""The head of a blob, before its payload."""


def test_numpy_scalars_become_python_scalars() -> None:
    """What numpy's arithmetic leaves behind is stored as the number it is."""
    for scalar, plain in ((np.float32(0.1), float(np.float32(0.1))), (np.int8(-3), -3)):
        assert same(decode(encode(scalar).join()), plain)  # type: ignore[arg-type]  # what no caller with types gives
    assert decode(encode(np.bool_(True)).join()) is True  # type: ignore[arg-type]  # what no caller with types gives


def test_tuples_become_lists() -> None:
    """Sequences are lists when they come back."""
    assert decode(encode((1, (2.5, 3.5))).join()) == [1, [2.5, 3.5]]  # type: ignore[arg-type]  # what no caller with types gives


def nested(depth: int) -> Value:
    """Return lists inside lists."""
    value: Value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_is_bounded() -> None:
    """Deep values are refused with words, not by a crash, in both directions."""
    assert same(decode(encode(nested(MAX_DEPTH)).join()), nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 5000):
        with pytest.raises(UnsupportedValue, match="nested deeper"):
            encode(nested(depth))
    tree = b"\x91" * 100_000 + b"\x01"
    with pytest.raises(CorruptBlob):
        decode(HEAD.pack(b"VXK8", 1, 0, len(tree), len(tree)) + tree)


@pytest.mark.parametrize(
    "value",
    [
        np.array([{}]),
        np.zeros(2, [("a", "i4")]),
        np.zeros(2, "longdouble"),
        {b"a": 1},
        {1},
        object(),
        "\udcff",
        [SavedFile(b"", "", "")],
        1j,
        np.ma.masked_array([1.0, 2.0], [True, False]),
    ],
)
def test_no_value_is_refused(value: object) -> None:
    """Objects, structured and platform-dependent arrays and the like cannot be stored."""
    with pytest.raises(UnsupportedValue):
        encode(value)  # type: ignore[arg-type]  # what no caller with types gives


class Colour(str, Enum):  # noqa: UP042  # the old kind, whose `str` is not its text
    """A text with a name."""

    RED = "red"


@pytest.mark.parametrize("leaf", [1.0, 1, "x"])
def test_what_is_written_can_be_read_however_deep(leaf: Value) -> None:
    """Values of the greatest depth come back; those that are deeper are refused when written."""
    deep: Value = leaf
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert repr(decode(encode(deep).join())) == repr(deep)
    with pytest.raises(UnsupportedValue, match="nested deeper"):
        encode([deep])


def test_arrays_of_many_axes_come_back() -> None:
    """As many axes as numpy has."""
    array = np.ones((1,) * 64)
    found = decode(encode(array).join())
    assert isinstance(found, np.ndarray)
    assert found.shape == array.shape


def test_member_of_an_enumeration_is_its_text() -> None:
    """What is stored of a text that has a name is the text."""
    assert decode(encode([Colour.RED, {"c": Colour.RED}]).join()) == ["red", {"c": "red"}]


def blob(tree: object, *, body: bytes = b"", total: int | None = None, version: int = 1) -> bytes:
    """Return a blob by hand."""
    packed = msgspec.msgpack.encode(tree)
    payload = packed + bytes(-len(packed) % 64) + body
    length = len(payload) if total is None else total
    return HEAD.pack(b"VXK8", version, 0, len(packed), length) + payload


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"VXK8",
        b"x" * 64,
        blob(1, version=2),
        blob(1, total=1 << 60),
        blob({"q": 1}),
        blob({"m": [["a", 1], ["a", 2]]}),
        blob({"m": [["a"]]}),
        blob({"m": [[1, 1]]}),
        blob({"a": ["<f8", [2]]}, body=bytes(8)),
        blob({"a": ["<f8", [-1]]}),
        blob({"a": ["<f8", [1 << 40, 1 << 40]]}),
        blob({"a": ["<f8", [True]]}, body=bytes(8)),
        blob({"a": ["O", [1]]}, body=bytes(64)),
        blob({"a": ["<f8,<f8", [1]]}, body=bytes(64)),
        blob({"a": ["<f8", [1]]}, body=bytes(640)),
        blob({"a": ["<f8"]}),
        blob({"a": ["<f8", [1] * 65]}, body=bytes(64)),
        blob({"a": ["<M8[foo]", [0]]}),
        blob({"a": ["<f8", [1 << 63, 0]]}),
        blob({"i": "12_3"}),
        blob({"i": 1}),
        blob({"I": [["|u1", [2, 2]], [1.0], [0.0], [1.0], 1]}, body=bytes(64)),
        blob({"I": [["|u1", [2, 2]], [1.0] * 2, [0.0], [1.0] * 4, 1]}, body=bytes(64)),
        blob({"I": [["|u1", [2]], ["a"], [0.0], [1.0], 1]}, body=bytes(64)),
        blob({"a": 1, "m": 2}),
    ],
)
def test_malformed_blobs_are_refused(data: bytes) -> None:
    """Blobs that this encoding never writes are CorruptBlob."""
    with pytest.raises(CorruptBlob):
        decode(data)
