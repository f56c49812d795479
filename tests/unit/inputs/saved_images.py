"""Image files for tests of inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.images import image
from voxk8s.formats.encode_file import encode_file


def save_image(path: Path, value: float = 1.0) -> Path:
    """Write a 4x3x2 image with one value to `path`, and return the path."""
    voxels = np.full((2, 3, 4), value, np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_file(image(voxels, (1.0, 2.0, 3.0)), ".mha").data)
    return path
