"""Images as layers of a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voxk8s.errors import KernelError
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Array, Image
from voxk8s.viewer import make_layer

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SCAN = np.linspace(0, 1000, 4 * 5 * 6).reshape(4, 5, 6)


def image(array: Array) -> Image:
    """Make a volume whose axes are not those of the file format's default."""
    return Image(array, (1.0, 2.0, 3.0), (5.0, -6.0, 7.0), IDENTITY)


def test_voxels_are_those_of_the_image(tmp_path: Path) -> None:
    """As a NIfTI file with the geometry."""
    layer = make_layer("scan.mha", image(SCAN.astype(np.float32)), 0)
    (tmp_path / "x.nii.gz").write_bytes(layer.voxels)
    options = InputOptions()
    found = load_input(pin_input(str(tmp_path / "x.nii.gz"), options), options)
    assert isinstance(found, Image)
    np.testing.assert_array_equal(found.array, SCAN.astype(np.float32))
    assert (found.spacing, found.origin) == ((1.0, 2.0, 3.0), (5.0, -6.0, 7.0))


def test_how_layers_are_shown_at_first() -> None:
    """The lowest is opaque, each mask has another colour, labels are told apart."""
    scan = make_layer("scan", image(SCAN), 0)
    assert (scan.colours, scan.opacity, scan.labels) == ("gray", 1.0, False)
    assert 0 < scan.low < scan.high < 1000
    masks = [make_layer("m", image((SCAN > 500).astype(np.uint8)), n) for n in (1, 2)]
    assert [each.colours for each in masks] == ["red", "green"]
    assert {(each.low, each.high, each.opacity) for each in masks} == {(0.0, 1.0, 0.5)}
    labels = make_layer("l", image((SCAN / 200).astype(np.int16)), 1)
    assert labels.labels
    assert scan.picture[8:12] == b"WEBP"


def test_channels_are_counted() -> None:
    """The page has neither values nor a colour map for images of colours."""
    assert make_layer("s", image(SCAN), 0).channels == 1
    colours = Image(np.zeros((4, 5, 6, 3), np.uint8), (1.0,) * 3, (0.0,) * 3, IDENTITY, 3)
    assert make_layer("c", colours, 0).channels == 3


def test_images_that_are_no_nifti() -> None:
    """An image without voxels is refused in words."""
    with pytest.raises(KernelError, match="it has no voxels"):
        make_layer("x", image(np.zeros((0, 4, 4))), 0)
