"""Tests of the limits of decoding."""

from __future__ import annotations

import pytest

from voxk8s.errors import InputUnavailable, InvalidUsage
from voxk8s.formats.decode_limits import DecodeLimits


def test_settings() -> None:
    """A number of bytes allows files of any size to become as large."""
    limits = DecodeLimits.from_env({"VOXK8S_INPUT_BYTES": "3e9", "VOXK8S_INPUT_SECONDS": "7"})
    assert limits == DecodeLimits(3_000_000_000, None, 7.0)
    limits.check("a", 3_000_000_000, 1)
    with pytest.raises(InvalidUsage, match="VOXK8S_INPUT_SECONDS"):
        DecodeLimits.from_env({"VOXK8S_INPUT_SECONDS": "soon"})


def test_expansion() -> None:
    """Small images may come from files of any size, large ones not from tiny files."""
    limits = DecodeLimits(largest=2**31)
    limits.check("a", 2**28, 100)
    limits.check("a", 2**30, 2**21)
    with pytest.raises(InputUnavailable, match="input a: its 1048576 bytes become"):
        limits.check("a", 2**31 - 1, 2**20)
    with pytest.raises(InputUnavailable, match="more than the limit of 2147483648"):
        limits.check("a", 2**31 + 1, 2**31)


def test_time_grows_with_size() -> None:
    """Large files may take longer."""
    assert DecodeLimits(seconds=10.0).seconds_for(2**21) == 11.0
