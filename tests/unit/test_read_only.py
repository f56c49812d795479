"""Arrays that nobody can write to."""

from __future__ import annotations

import mmap

import numpy as np
import pytest

from voxk8s.read_only import is_read_only, read_only
from voxk8s.values import Array


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0),
        np.arange(6, dtype=np.uint8)[2:],
        np.frombuffer(bytearray(8), np.uint8),
        np.frombuffer(bytes(8), np.uint8),
    ],
    ids=["own", "view", "bytearray", "bytes"],
)
def test_it_is_on_the_same_memory(array: Array) -> None:
    """Nothing is copied, and what is read-only stays the same object."""
    found = read_only(array)
    assert np.shares_memory(found, array)
    assert found.dtype == array.dtype
    assert is_read_only(found)
    assert read_only(found) is found


@pytest.mark.parametrize("what", ["writeable", "flag", "view", "bytearray", "mapped"])
def test_what_somebody_can_still_write_to(what: str) -> None:
    """A flag that can be set again is no promise."""
    array = np.zeros(8, np.uint8)
    if what == "bytearray":
        array = np.frombuffer(bytearray(8), np.uint8)
    elif what == "mapped":
        array = np.frombuffer(mmap.mmap(-1, 8), np.uint8)
    elif what == "view":
        array = array[:]
    if what != "writeable":
        array.flags.writeable = False
    assert not is_read_only(array)
