"""Axes of a volume in the order and direction of the body, by its matrix of direction cosines.

Physical space is ITK's (and DICOM's): x grows to the patient's left, y to the back (posterior),
z to the head (superior). An oblique volume is not resampled: each of its axes counts as the axis of
the body that it is closest to, as in ITK's `DICOMOrientImageFilter`.
"""

from __future__ import annotations

import numpy as np

from voxk8s.values import Image

_AXES = 3


def to_radiological(volume: Image) -> Image:
    """Return a 3-D image with its axes permuted and flipped to left, posterior, superior.

    The voxels are a view of those of `volume`; spacing, origin and direction describe the same
    points in space.
    """
    direction = np.array(volume.direction, np.float64).reshape(_AXES, _AXES)
    spacing, origin = np.array(volume.spacing), np.array(volume.origin, np.float64)
    order = _closest_axes(direction)
    flipped = [direction[body, axis] < 0 for body, axis in enumerate(order)]
    for axis, flip in zip(order, flipped, strict=True):
        if flip:
            origin = origin + direction[:, axis] * spacing[axis] * (volume.size[axis] - 1)
    # Arrays have the axes (z, y, x): axis k of ITK is axis 2 - k of the array.
    rest = range(_AXES, volume.array.ndim)
    array = volume.array.transpose(*(2 - order[2 - axis] for axis in range(_AXES)), *rest)
    steps = tuple(slice(None, None, -1 if flipped[2 - axis] else 1) for axis in range(_AXES))
    columns = direction[:, order] * np.where(flipped, -1.0, 1.0)
    return Image(
        array[steps],
        tuple(float(spacing[axis]) for axis in order),
        tuple(float(each) for each in origin),
        tuple(float(each) for each in columns.ravel()),
        volume.channels,
    )


def _closest_axes(direction: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[int]:
    """Return, for each axis of the body, the axis of the image that is closest to it."""
    weights = np.abs(direction)
    order = [0] * _AXES
    for _ in range(_AXES):
        body, axis = np.unravel_index(int(np.argmax(weights)), weights.shape)
        order[int(body)] = int(axis)
        weights[body, :] = -1.0
        weights[:, axis] = -1.0
    return order
