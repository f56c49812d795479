"""Arrays that nobody can write to."""

from __future__ import annotations

import mmap

import numpy as np
import pytest
import SimpleITK as sitk

from voxk8s.read_only import is_read_only, read_only
from voxk8s.values import Array


@pytest.mark.parametrize(
    ("what", "array"),
    [
        ("own", np.arange(6.0)),
        ("view", np.arange(6, dtype=np.uint8)[2:]),
        ("bytearray", np.frombuffer(bytearray(8), np.uint8)),
        ("bytes", np.frombuffer(bytes(8), np.uint8)),
    ],
)
def test_it_is_on_the_same_memory(what: str, array: Array) -> None:
    """Nothing is copied, and what is read-only stays the same object."""
    found = read_only(array)
    assert np.shares_memory(found, array)
    assert found.dtype == array.dtype
    assert not found.flags.writeable
    assert is_read_only(found) is (what != "bytearray")
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


@pytest.mark.parametrize("what", ["bytearray", "no owner"])
def test_a_view_for_reading_of_memory_that_changes(what: str) -> None:
    """What a program can only read, as the voxels of an image of ITK, may change all the same."""
    if what == "bytearray":
        array = np.frombuffer(memoryview(bytearray(8)).toreadonly(), np.uint8)
    else:
        itk = sitk.Image([4, 2], sitk.sitkUInt8)
        array = sitk.GetArrayViewFromImage(itk)
        itk[1, 1] = 1
        assert array.any()
    assert not array.flags.writeable
    assert not is_read_only(array)


def test_a_flag_that_was_set_again_under_a_view_for_reading() -> None:
    """Whoever has the array itself can write to it."""
    array = np.zeros(8, np.uint8)
    found = read_only(array)
    assert is_read_only(found)
    array.flags.writeable = True
    assert not is_read_only(found)
