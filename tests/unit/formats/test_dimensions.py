"""Tests of the sizes of images."""

from __future__ import annotations

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.dimensions import check_dimensions


@pytest.mark.parametrize("sizes", [(5, 4), (5, 4, 3), (1, 1, 1), (5, 4, 3, 1, 1)])
def test_images_have_two_or_three_axes(sizes: tuple[int, ...]) -> None:
    """Sizes of 2-D and 3-D images are accepted, with further axes of extent 1."""
    check_dimensions("s3://a", sizes)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((5,), r"a 1-D image \(5\); only 2-D and 3-D images are supported"),
        ((5, 0, 3), r"an image without voxels \(5x0x3\)"),
        ((5, -4), "an image without voxels"),
        ((5, 4, 1, 3), r"a 4-D image \(5x4x1x3, x y z t\).*: save one volume of it"),
    ],
)
def test_other_sizes_are_refused(sizes: tuple[int, ...], words: str) -> None:
    """The error contains the URL and the sizes."""
    with pytest.raises(InputUnavailable, match=f"input s3://a: {words}"):
        check_dimensions("s3://a", sizes)
