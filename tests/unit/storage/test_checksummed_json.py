"""Tests of sealed JSON documents."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.errors import CorruptBlob
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum

DOCUMENT = b'{"a":[1,2,{"b":"c"}],"seal":"no"}'


def test_sealed_document_is_json() -> None:
    """The seal is one more member; the document passes its check."""
    sealed = add_checksum(DOCUMENT)
    verify_checksum(sealed)
    assert json.loads(sealed)["a"] == [1, 2, {"b": "c"}]


@given(st.integers(0, len(add_checksum(DOCUMENT)) - 1), st.integers(1, 255))
def test_any_changed_byte_is_seen(at: int, bits: int) -> None:
    """There is no byte that can change unseen."""
    data = bytearray(add_checksum(DOCUMENT))
    data[at] ^= bits
    with pytest.raises(CorruptBlob):
        verify_checksum(bytes(data))


@given(st.integers(0, len(add_checksum(DOCUMENT)) - 1))
def test_any_cut_is_seen(length: int) -> None:
    """A document that was cut short anywhere is refused."""
    with pytest.raises(CorruptBlob):
        verify_checksum(add_checksum(DOCUMENT)[:length])
