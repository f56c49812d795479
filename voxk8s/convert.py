"""Images as those of other libraries, and back: arrays of numpy, SimpleITK, nibabel.

Scanner coordinates of NIfTI point to the right, front and top (RAS), those of ITK and DICOM, which
voxk8s has, to the left, back and top (LPS).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import InvalidUsage
from voxk8s.values import Array, Image

if TYPE_CHECKING:
    import SimpleITK as sitk

_FLIP: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
_VOLUME: Final = 3
Numbers: TypeAlias = Sequence[float] | NDArray[np.floating[Any]]


def from_numpy(
    array: Array,
    spacing: Numbers | None = None,
    origin: Numbers | None = None,
    direction: Numbers | None = None,
) -> Image:
    """Return an image of an array with the axes (z, y, x) or (y, x).

    `spacing` and `origin` are in mm in the order x, y[, z], by default 1 and 0; `direction` is the
    row-major matrix of cosines, by default the identity. Raises InvalidUsage for other shapes.
    """
    if array.ndim not in (2, 3):
        raise InvalidUsage(f"expected an array of 2 or 3 axes, got {array.ndim}")
    count = array.ndim
    return Image(
        np.ascontiguousarray(array),
        tuple(map(float, spacing if spacing is not None else [1.0] * count)),
        tuple(map(float, origin if origin is not None else [0.0] * count)),
        tuple(map(float, np.eye(count).ravel() if direction is None else direction)),
    )


def from_sitk(image: sitk.Image) -> Image:
    """Return an image of SimpleITK's, with its geometry."""
    from voxk8s.formats.itk import from_itk

    return from_itk(image)


def to_sitk(image: Image) -> sitk.Image:
    """Return an image as one of SimpleITK, with its geometry."""
    from voxk8s.formats.itk import to_itk

    return to_itk(image)


def from_nibabel(image: Any) -> Image:
    """Return a volume of nibabel's, with the values that its scaling gives.

    Raises InvalidUsage for other numbers of axes, and for an affine with shears.
    """
    array = np.asanyarray(image.dataobj)
    if array.ndim != _VOLUME:
        raise InvalidUsage(f"expected a volume of 3 axes, got {array.ndim}")
    affine = _FLIP @ np.asarray(image.affine, np.float64)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / spacing
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise InvalidUsage("expected an affine without shears: resample the volume first")
    return from_numpy(array.T, spacing, affine[:3, 3], direction.ravel())


def to_nibabel(image: Image) -> Any:
    """Return a volume as a Nifti1Image of nibabel; raises InvalidUsage for other images."""
    import nibabel

    make: Any = nibabel.Nifti1Image
    if image.dimension != _VOLUME or image.channels != 1:
        raise InvalidUsage("expected a volume of one channel")
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.direction, (3, 3)) * image.spacing
    affine[:3, 3] = image.origin
    return make(image.array.T, _FLIP @ affine)
