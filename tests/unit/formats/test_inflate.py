"""Tests of decompression: every damage is an error."""

from __future__ import annotations

import gzip
import io
import zlib

import numpy as np
import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.inflate import inflate

DATA = np.random.default_rng(3).integers(0, 9, 3_000_000, np.uint8).tobytes()


def _inflate(packed: bytes, *, whole: bool = True) -> bytes:
    return b"".join(inflate("s3://a", "gzip", io.BytesIO(packed), lambda _: None, whole=whole))


def test_gzip_and_zlib_are_recognized() -> None:
    """Data of several megabytes come back from both kinds of streams."""
    assert _inflate(gzip.compress(DATA, 1)) == DATA
    assert _inflate(zlib.compress(DATA, 1)) == DATA


def test_chunks_are_bounded() -> None:
    """However well data are compressed, a chunk has at most 1 MiB."""
    packed = io.BytesIO(zlib.compress(bytes(5_000_000)))
    assert max(map(len, inflate("s3://a", "gzip", packed, lambda _: None))) == 2**20


def test_members_are_joined() -> None:
    """Gzip members follow one another, with zeros between and after them."""
    packed = gzip.compress(b"one") + bytes(9) + gzip.compress(b"two") + bytes(600_000)
    assert _inflate(packed) == b"onetwo"


def test_further_members_are_gzip() -> None:
    """A zlib stream after a gzip member is not a member of the file."""
    with pytest.raises(InputUnavailable, match="corrupted, or has data after its end"):
        _inflate(gzip.compress(b"one") + zlib.compress(b"two"))


def test_data_after_the_end() -> None:
    """What follows the data is an error if they are the whole file, else it is ignored."""
    packed = gzip.compress(b"one") + b"more"
    with pytest.raises(InputUnavailable, match="s3://a: the gzip file is corrupted, or has data"):
        _inflate(packed)
    assert _inflate(packed, whole=False) == b"one"


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_every_damage_is_found(compress: type) -> None:
    """A file that is cut, and a wrong byte after the header, are errors."""
    packed = compress(b"voxels" * 9)
    for length in range(len(packed)):
        with pytest.raises(InputUnavailable, match="the gzip file is truncated"):
            _inflate(packed[:length])
    for place in range(10, len(packed)):
        damaged = bytearray(packed)
        damaged[place] ^= 0xFF
        with pytest.raises(InputUnavailable, match=r"the gzip file is (corrupted|truncated)"):
            _inflate(bytes(damaged))
