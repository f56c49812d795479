"""Images of other libraries."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from voxk8s.convert import from_nibabel, from_numpy, from_sitk, to_nibabel, to_sitk
from voxk8s.errors import InvalidUsage
from voxk8s.rendering import same_geometry
from voxk8s.values import Image


@pytest.fixture
def image() -> Image:
    """Return an oblique volume of different sizes and spacings."""
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    return from_numpy(array, (1, 2, 3), (-5, 6, 7), turn.ravel())


def test_nibabel_and_itk_agree_on_a_file(image: Image, tmp_path: Path) -> None:
    """What nibabel writes is what ITK reads, voxel for voxel and place for place."""
    path = str(tmp_path / "a.nii")
    nibabel.save(to_nibabel(image), path)
    read = from_sitk(sitk.ReadImage(path))
    assert np.array_equal(read.array, image.array)
    assert same_geometry(read, image)
    back = from_nibabel(nibabel.load(path))
    assert np.array_equal(back.array, image.array)
    assert same_geometry(back, image)


def test_simpleitk_there_and_back(image: Image) -> None:
    """Voxels, spacing, origin and direction are kept."""
    back = from_sitk(to_sitk(image))
    assert np.array_equal(back.array, image.array)
    assert (back.spacing, back.origin) == (image.spacing, image.origin)


def test_what_is_no_volume_is_refused(image: Image) -> None:
    """Of four axes, or with shears, which an image has no place for."""
    with pytest.raises(InvalidUsage, match="2 or 3 axes, got 4"):
        from_numpy(np.zeros((1, 1, 1, 1)))
    sheared = np.eye(4)
    sheared[0, 1] = 0.5
    with pytest.raises(InvalidUsage, match="without shears"):
        from_nibabel(SimpleNamespace(dataobj=np.zeros((2, 2, 2)), affine=sheared))
    with pytest.raises(InvalidUsage, match="volume of one channel"):
        to_nibabel(from_numpy(image.array[0]))
