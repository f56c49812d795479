"""Tests of the checks of kernel arguments."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.support.images import call, image, mask, voxels
from voxk8s.errors import KernelError
from voxk8s.values import Value

SCALAR_ONLY = {
    **dict.fromkeys(("near", "interior", "maxvol", "lcc", "dt", "pdt", "fillholes", "volume"), ()),
    **dict.fromkeys(("not", "min", "max", "abs", "gradient"), ()),
    **dict.fromkeys(("smoothen", "erode", "dilate", "imopen", "imclose"), (1.0,)),
    **dict.fromkeys(("add_vs", "mul_vs", "sub_vs", "div_vs"), (1.0,)),
}


@pytest.mark.parametrize("name", sorted(SCALAR_ONLY))
def test_colour_where_one_channel_is_wanted(name: str) -> None:
    """Colour images are refused; the message names the kernels that select a channel."""
    colour = image(np.ones((2, 2, 3), np.uint8), channels=3)
    with pytest.raises(
        KernelError, match=rf"{name}: expected an image with one channel.*intensity"
    ):
        call(f"vox1.{name}", colour, *SCALAR_ONLY[name])


def test_voxels_and_numbers_beyond_float32_are_infinite_and_silent() -> None:
    """Thresholds, channels, constants and means take them without a warning."""
    large = image(np.array([[1e300, 0.0]]))
    full = mask([[1, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert voxels("vox1.geq_sv", 1e300, large).tolist() == [[1, 0]]
        assert voxels("vox1.constant", 1e300, large).tolist() == [[np.inf, np.inf]]
        assert voxels("vox1.intensity", large).tolist() == [[np.inf, 0]]
        assert voxels("vox1.rgb", large, large, large)[0, 0].tolist() == [255, 255, 255]
        assert call("vox1.avg", large, full) == np.inf
        assert call("vox1.nsd", full, full, 1e300) == 1.0
    with pytest.raises(KernelError, match="geq_sv: an integer of 1329 bits is out of the range"):
        call("vox1.geq_sv", 10**400, large)
    with pytest.raises(KernelError, match="num_add: an integer of 1329 bits"):
        call("vox1.num_add", 10**400, 1)


@pytest.mark.parametrize(
    "name", ["dice_score", "jaccard_index", "pixel_accuracy", "confusion_matrix", "compare_arrays"]
)
def test_different_shapes_are_errors(name: str) -> None:
    """Images of different geometry are named, arrays of different shape too."""
    with pytest.raises(KernelError, match=r"image 1x1.*image 1x2"):
        call(f"arrays.{name}", mask([[1]]), mask([[1, 1]]))
    with pytest.raises(KernelError, match="expected arrays of one shape"):
        call(f"arrays.{name}", [1.0], [1.0, 2.0])
    with pytest.raises(KernelError, match="the string"):
        call(f"arrays.{name}", "a", [1.0])


@pytest.mark.parametrize("items", [["1", 2], [None, 1.0], [10**400], [[1, 2], [3]], [{"a": 1}]])
def test_sequences_of_anything_but_numbers_are_errors(items: list[object]) -> None:
    """Strings of digits, null and integers of more than 64 bits are refused."""
    with pytest.raises(KernelError, match="array_stats: expected a sequence of numbers, got a seq"):
        call("arrays.array_stats", items)


@pytest.mark.parametrize("position", [1e300, 10**400, 2.0**63])
def test_whole_numbers_have_63_bits(position: Value) -> None:
    """Larger ones are no index, and the message does not print hundreds of digits."""
    with pytest.raises(KernelError, match="whole number") as caught:
        call("default.index", [1, 2], position)
    assert len(str(caught.value)) < 100
