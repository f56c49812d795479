"""Tests of the store's own encoding of values."""

from __future__ import annotations

import resource
import struct
from contextlib import suppress

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from tests.support.properties import examples
from tests.support.values import SAMPLES, same
from voxk8s.errors import CorruptBlob
from voxk8s.storage import value_codec
from voxk8s.storage.value_codec import decode, encode, payload_digest
from voxk8s.values import Value

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


@examples(300)
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
    """Reading noise of some kilobytes costs no copy; the array is read-only and aligned."""
    noise = np.random.default_rng(1).bytes(1 << 17)
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


def test_bomb_is_refused_before_memory_is_taken() -> None:
    """A compressed part that is larger than the head promises is not unpacked."""
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    for promised in (100, (1 << 28) - 1):
        with pytest.raises(CorruptBlob, match="disagree about the size"):
            decode(HEAD.pack(b"VXK8", 1, 1, 1, promised) + bomb)
    with pytest.raises(CorruptBlob, match="invalid lengths"):
        decode(HEAD.pack(b"VXK8", 1, 1, 1, 1 << 28) + bomb, max_bytes=1 << 20)


_64_GIB = 1 << 36
_CLAIMS_64_GIB = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", _64_GIB) + b"\x01\x00\x00"


@pytest.mark.parametrize(
    "data",
    [
        HEAD.pack(b"VXK8", 1, 1, 10, _64_GIB) + _CLAIMS_64_GIB,
        HEAD.pack(b"VXK8", 2, 2, _64_GIB, _64_GIB) + b"xx",
        HEAD.pack(b"VXK8", 2, 2, 10, _64_GIB) + b"xx",
    ],
)
@pytest.mark.parametrize("limit", [1 << 30, 1 << 40])
def test_heads_that_claim_more_than_there_is_are_corrupt(
    data: bytes, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before memory is taken, and also where the system refuses it."""
    monkeypatch.setattr(value_codec, "usable_memory", lambda: limit)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (32 << 30, before[1]))
    try:
        with pytest.raises(CorruptBlob):
            decode(data)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
