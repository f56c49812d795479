"""The picture of the demo: the MRI with the masks that the WorkPlans found drawn over it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from tests.tools.demo import scan
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.rendering import draw
from voxk8s.values import Image

_SIDE = 420


def save_picture(region: Mapping[str, Any], margin: Mapping[str, Any], path: Path) -> None:
    """Draw the region and the margin around it in two colours over the MRI, as a PNG."""
    inside, around = _mask(region), _mask(margin)
    labels = np.where(inside.array != 0, np.uint8(1), np.where(around.array != 0, np.uint8(2), 0))
    value = Image(labels.astype(np.uint8), inside.spacing, inside.origin, inside.direction)
    _draw(value, path)


def save_mask(mask: Path, path: Path) -> None:
    """Draw the mask in a file over the MRI, as a PNG."""
    _draw(_image(mask), path)


def _draw(value: Image, path: Path) -> None:
    data = draw(value, _image(scan.local_path()), _SIDE)
    assert data is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.open(BytesIO(data)).save(path)


def _mask(workplan: Mapping[str, Any]) -> Image:
    url = next(r["url"] for r in workplan["status"]["results"] if r["kind"] == "save")
    with tempfile.NamedTemporaryFile(suffix=".nii.gz") as file:
        file.write(scan.read(url))
        file.flush()
        return _image(Path(file.name))


def _image(path: Path) -> Image:
    options = InputOptions()
    value = load_input(pin_input(str(path), options), options)
    assert isinstance(value, Image)
    return value
