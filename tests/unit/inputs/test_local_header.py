"""Headers of images on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.encode_file import encode_file
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.local_header import Extent, local_header
from voxk8s.values import Image

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def test_size_and_geometry(tmp_path: Path) -> None:
    """In the order of the axes of the file."""
    value = Image(np.zeros((2, 3, 4), np.uint8), (1.0, 1.5, 2.5), (1.0, 2.0, 3.0), IDENTITY)
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(encode_file(value, ".nii.gz").data)
    found = local_header(str(path), InputOptions())
    assert found == Extent((4, 3, 2), (1, 1.5, 2.5), (1, 2, 3), IDENTITY, str(path))


def test_inputs_of_other_machines_are_not_asked_for() -> None:
    """That would be a transfer for one line of a report."""
    assert local_header("s3://bucket/scan.nii.gz", InputOptions()) is None


def test_no_image(tmp_path: Path) -> None:
    """The error is that of reading it."""
    path = tmp_path / "text.nii"
    path.write_text("no image")
    with pytest.raises(InputUnavailable):
        local_header(str(path), InputOptions())
