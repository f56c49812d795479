"""Tests of calls of the compiled library."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from voxk8s.errors import KernelError
from voxk8s.kernels.bit_volume import NEIGHBOURS, BitVolume
from voxk8s.kernels.native import library
from voxk8s.kernels.native.library import Int64, Pointer, address, extents, native, short_extents
from voxk8s.kernels.vox1.distance_transform import distance_transform


def test_arguments_are_counted() -> None:
    """A call with an argument too many never reaches the library, which would misread it."""
    pack = native("pack", Pointer, Int64, Int64, Pointer)
    with pytest.raises(TypeError, match="pack: expected 4 arguments, got 5"):
        pack(None, 0, 0, None, None)


def test_missing_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library reports by 1 is raised."""

    class _Exhausted:
        def __getattr__(self, name: str) -> object:
            return ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)

    monkeypatch.setattr(library, "_library", _Exhausted)
    with pytest.raises(MemoryError):
        native("pack")()


def test_an_address_is_that_of_an_array_in_order() -> None:
    """Arrays that the library would misread are refused."""
    array = np.zeros((4, 4))
    assert address(array) == array.ctypes.data
    with pytest.raises(ValueError, match="C order"):
        address(array[:, ::2])


def test_extents_have_three_axes() -> None:
    """Missing axes are the first ones, with one layer each."""
    assert list(extents((5, 6))) == [1, 5, 6]
    assert list(extents((4, 5, 6))) == [4, 5, 6]
    assert list(short_extents((5, 6))) == [1, 5, 6]


def test_a_package_without_its_compiled_part_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what is missing and what to do."""
    monkeypatch.setattr(library, "_NAME", "voxk8s.kernels.native.absent")
    with pytest.raises(ImportError, match="not built: install"):
        library._library.__wrapped__()


@pytest.mark.parametrize("give", [extents, short_extents])
def test_rows_too_long_to_count_are_refused(
    give: Callable[[Sequence[int]], object],
) -> None:
    """They never reach the library, whose numbers would wrap around."""
    give((2, 2**30))
    for shape in ((1, 2**30 + 1), (2**31, 1), (1, 1, 2**40)):
        with pytest.raises(KernelError, match=r"at most 2\^30 voxels along each axis, got"):
            give(shape)


def test_a_row_that_is_too_long_is_refused_by_all_that_counts_in_it() -> None:
    """Before any memory is taken."""
    bits = BitVolume(np.empty((1, 1, 0), np.uint64), (1, 2**31))
    row = np.broadcast_to(np.uint8(1), (1, 2**31))
    calls: list[Callable[[], object]] = [
        bits.bounding_box, bits.largest, lambda: bits.dilate(NEIGHBOURS),
        lambda: bits.erode(NEIGHBOURS), lambda: bits.reconstruct(bits),
        lambda: distance_transform(row, (1.0, 1.0)),
    ]  # fmt: skip
    for each in calls:
        with pytest.raises(KernelError, match="voxels along each axis"):
            each()
