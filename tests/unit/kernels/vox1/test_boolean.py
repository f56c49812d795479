"""Tests of boolean operators on masks and truth values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import call, image, mask, mask_pairs, voxels, with_known_bits
from voxk8s.errors import KernelError
from voxk8s.kernels.bit_volume import known_bits
from voxk8s.read_only import read_only
from voxk8s.values import Image, PackedMask


@given(pair=mask_pairs(), known=st.tuples(st.booleans(), st.booleans()))
def test_boolean_operators(pair: tuple[Image, Image], known: tuple[bool, bool]) -> None:
    """And, or, not and difference are numpy's, whether the bits of masks are known or not."""
    first, second = (m.array != 0 for m in pair)
    expected = {"and": first & second, "or": first | second, "diff": first & ~second}
    a, b = (with_known_bits(m) if bits else m for m, bits in zip(pair, known, strict=True))
    for name, value in expected.items():
        result = voxels(f"vox1.{name}", a, b)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, value)
    np.testing.assert_array_equal(voxels("vox1.not", a), ~first)


def test_bits_are_combined_with_masks_that_were_read() -> None:
    """The bits of one mask are not unpacked for another one, whose bits are packed once."""
    a, b = mask([[0, 1, 1]]), mask([[1, 1, 0]])
    read = replace(b, array=read_only(b.array))
    for pair in ((with_known_bits(a), b), (b, with_known_bits(a)), (a, read)):
        result = call("vox1.and", *pair)
        assert isinstance(result, PackedMask)
        assert result.array.tolist() == [[0, 1, 0]]
    assert known_bits(read) is not None
    assert isinstance(call("vox1.not", read), PackedMask)
    assert not isinstance(call("vox1.and", a, b), PackedMask)


def test_masks_of_files_count_what_is_not_zero() -> None:
    """A mask of 0 and 255, or of labels, is a mask."""
    a, b = image(np.array([[0, 255, 2]], np.uint8)), image(np.array([[1, 4, 0]], np.int16))
    assert voxels("vox1.and", a, b).tolist() == [[0, 1, 0]]
    assert voxels("vox1.not", a).tolist() == [[1, 0, 0]]
    assert voxels("vox1.diff", a, b).tolist() == [[0, 0, 1]]


def test_truth_values_are_taken_for_all_voxels() -> None:
    """Two truth values give a truth value, one with a mask gives a mask."""
    a = mask([[0, 1]])
    assert call("vox1.and", True, 0.0) is False
    assert call("vox1.or", True, False) is True
    assert call("vox1.not", False) is True
    assert voxels("vox1.and", a, True).tolist() == [[0, 1]]
    assert voxels("vox1.diff", True, a).tolist() == [[1, 0]]
    with pytest.raises(KernelError, match="and: expected masks, got"):
        call("vox1.and", a, "x")
