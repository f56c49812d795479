"""Tests of the store's own encoding of values."""

from __future__ import annotations

import struct
from contextlib import suppress
from enum import Enum

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from tests.support.values import SAMPLES, same
from voxk8s.errors import CorruptBlob, UnsupportedValue
from voxk8s.storage.payload import MAX_DEPTH
from voxk8s.storage.value_codec import decode, encode, payload_digest
from voxk8s.values import SavedFile, Value

HEAD = struct.Struct("<4sBB2xQQ40x")

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
)
dtypes = (
    nps.boolean_dtypes()
    | nps.integer_dtypes(endianness="?")
    | nps.unsigned_integer_dtypes(endianness="?")
    | nps.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | nps.complex_number_dtypes(endianness="?", sizes=(64, 128))
)
arrays = nps.arrays(dtypes, nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
values = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values, st.sampled_from([0, 1 << 30]))
def test_round_trip(value: Value, compress_from: int) -> None:
    """Any nesting of values comes back equal to the last bit, compressed or not."""
    assert same(decode(encode(value, compress_from=compress_from).join()), value)


@given(values)
def test_equal_values_have_equal_bytes(value: Value) -> None:
    """Encoding is deterministic, and the payload's digest does not depend on compression."""
    again = decode(encode(value).join())
    assert encode(value).join() == encode(again).join()
    plain, packed = encode(value, compress_from=1 << 30), encode(value, compress_from=0)
    assert payload_digest(plain.join()) == payload_digest(packed.join())


@settings(max_examples=300)
@given(values, st.data())
def test_damage_is_an_error_or_a_value_never_a_crash(value: Value, data: st.DataObject) -> None:
    """Whatever bytes come, decode gives CorruptBlob and nothing else (the digest does the rest)."""
    whole = bytearray(encode(value, compress_from=data.draw(st.sampled_from([0, 1 << 30]))).join())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for damaged in (bytes(whole), bytes(whole[:cut])):
        with suppress(CorruptBlob):
            decode(damaged)


@pytest.mark.parametrize("name", [n for n in SAMPLES if "file" not in n])
def test_size_and_parts_agree(name: str) -> None:
    """The size that is announced is the size that is written."""
    encoded = encode(SAMPLES[name])
    assert encoded.size == len(encoded.join())


def test_uncompressed_arrays_are_views_of_the_blob() -> None:
    """Reading noise costs no copy; the array is read-only and aligned."""
    noise = np.random.default_rng(1).bytes(1 << 20)
    blob = encode(np.frombuffer(noise, "float32")).join()
    array = decode(blob)
    assert isinstance(array, np.ndarray)
    assert np.shares_memory(array, np.frombuffer(blob, "uint8"))
    assert array.flags.aligned
    assert not array.flags.writeable


def test_arrays_are_not_copied_for_writing() -> None:
    """Incompressible arrays in C order are written from where they are."""
    array = np.frombuffer(np.random.default_rng(1).bytes(1 << 20), "float32")
    parts = encode(array).parts
    assert any(np.shares_memory(array, np.frombuffer(part, "uint8")) for part in parts)


def test_noise_is_not_compressed_and_masks_are() -> None:
    """Compression is used where it helps."""
    noise = np.frombuffer(np.random.default_rng(1).bytes(1 << 20), "uint8")
    assert encode(noise).size > noise.nbytes
    assert encode(np.zeros(1 << 20, "uint8")).size < 1000


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


def test_bomb_is_refused_before_memory_is_taken() -> None:
    """A compressed part that is larger than the head promises is not unpacked."""
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    for promised in (100, (1 << 28) - 1):
        with pytest.raises(CorruptBlob, match="disagree about the size"):
            decode(HEAD.pack(b"VXK8", 1, 1, 1, promised) + bomb)
    with pytest.raises(CorruptBlob, match="invalid lengths"):
        decode(HEAD.pack(b"VXK8", 1, 1, 1, 1 << 28) + bomb, max_bytes=1 << 20)
