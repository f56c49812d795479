"""Axes of a volume in the order of the body."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from voxk8s.rendering import to_radiological
from voxk8s.values import Image

VOXELS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


def from_itk(image: sitk.Image) -> Image:
    """Return an image of SimpleITK as a value."""
    return Image(
        sitk.GetArrayFromImage(image),
        image.GetSpacing(),
        image.GetOrigin(),
        image.GetDirection(),
        image.GetNumberOfComponentsPerPixel(),
    )


@given(seed=st.integers(0, 2**32 - 1), mirrored=st.booleans(), channels=st.sampled_from([1, 3]))
def test_as_itk_orients(seed: int, mirrored: bool, channels: int) -> None:
    """Oblique, permuted and flipped volumes become what ITK's filter makes of them."""
    array = VOXELS if channels == 1 else np.stack([VOXELS] * channels, axis=-1)
    given_image = sitk.GetImageFromArray(array, isVector=channels != 1)
    given_image.SetSpacing([1.0, 2.0, 3.0])
    given_image.SetOrigin([5.0, -7.0, 9.0])
    turned = Rotation.random(random_state=seed % 2**32).as_matrix()
    direction = turned @ np.diag([1.0, 1.0, -1.0 if mirrored else 1.0])
    given_image.SetDirection(direction.ravel().tolist())
    expected = from_itk(sitk.DICOMOrient(given_image, "LPS"))
    found = to_radiological(from_itk(given_image))
    np.testing.assert_array_equal(found.array, expected.array)
    np.testing.assert_allclose(found.spacing, expected.spacing)
    np.testing.assert_allclose(found.origin, expected.origin)
    np.testing.assert_allclose(found.direction, expected.direction)


def test_voxels_are_not_copied() -> None:
    """A volume of any size costs nothing."""
    volume = Image(VOXELS, (1.0,) * 3, (0.0,) * 3, (0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0))
    assert np.shares_memory(to_radiological(volume).array, VOXELS)
