"""Filters by ITK with parameters of VoxLogicA: otsu, gradient, n4 and slic.

ITK runs on one thread, so that results do not depend on the number of threads.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import SimpleITK as sitk

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.kernels.arguments import (
    require_image,
    require_image_and_mask,
    require_integer,
    require_number,
    require_scalar_image,
)
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.kernels.simpleitk.calls import call_itk_image
from voxk8s.kernels.simpleitk.parameter_bounds import (
    MOST_HISTOGRAM_BINS,
    SLIC_LARGEST_VALUE,
    SLIC_LARGEST_WEIGHT,
)
from voxk8s.values import Float32Array, Image, MaskArray, Value

_LARGEST_FLOAT32: Final = float(np.finfo(np.float32).max)


def otsu(i: Value, m: Value, bins: Value) -> Image:
    """Segment an image inside a mask by Otsu's threshold over a histogram of `bins` bins.

    The result is a uint8 mask: 1 where the value is above the threshold, 0 at or below it and
    outside the mask. The histogram is that of the voxels in the mask; the threshold is the upper
    edge of a bin. Empty if the mask is empty. KernelError unless all values in the mask are finite
    in float32, there are 1 to 65,536 bins, and the geometries are equal. Source: ITK's
    OtsuThresholdImageFilter (Otsu, 1979).
    """
    image, mask = require_image_and_mask("otsu", i, m)
    count = require_integer("otsu", bins)
    if not 1 <= count <= MOST_HISTOGRAM_BINS:
        raise KernelError(f"otsu: expected 1 to {MOST_HISTOGRAM_BINS} bins, got {count}")
    values = _require_finite("otsu", image, mask)
    if count == 1 or not mask.any():
        # No value is above the only bin; ITK would crash.
        return image_like(image, np.zeros_like(mask))
    above = call_itk_image(
        "otsu",
        lambda: sitk.OtsuThreshold(
            to_itk(image, values),
            to_itk(image, mask),
            0,  # value at or below the threshold
            1,  # value above it
            count,
            True,  # apply the mask to the output
            1,  # value of the mask where it is true
        ),
    )
    return image_like(image, np.bitwise_and(above.array.astype(np.uint8, copy=False), mask))


def gradient(i: Value) -> Image:
    """Return the magnitude of the gradient per mm, by central differences, in float32.

    At the border the outermost voxels are repeated, so the gradient along an axis of one voxel is
    0. NaN and infinities spread to their neighbours. Source: ITK's GradientMagnitudeImageFilter
    with the image's spacing.
    """
    image = require_scalar_image("gradient", i)
    result = call_itk_image(
        "gradient", lambda: sitk.GradientMagnitude(to_itk(image, as_float32(image)))
    )
    return image_like(image, as_float32(result))


def n4(i: Value, m: Value) -> Image:
    """Correct the bias field of an MRI, in float32.

    The field is estimated inside the mask and removed everywhere; spacing is ignored. A volume of
    one voxel along an axis is corrected as a 2-D image. KernelError if the mask is empty, if a
    value in it is not finite in float32, if fewer than two axes have two or more voxels, or if the
    geometries differ. Source: ITK's N4BiasFieldCorrectionImageFilter with its defaults (Tustison et
    al., 2010).
    """
    image, mask = require_image_and_mask("n4", i, m)
    if not mask.any():
        raise KernelError("n4: expected a mask with true voxels, got an empty one")
    values = _require_finite("n4", image, mask)
    axes = [axis for axis, side in enumerate(mask.shape) if side > 1]
    if len(axes) < 2:
        raise KernelError(f"n4: expected two axes with at least two voxels, got {describe(image)}")
    if len(axes) < mask.ndim:
        values, mask = values.squeeze(), mask.squeeze()
    result = call_itk_image(
        "n4",
        lambda: sitk.N4BiasFieldCorrection(
            sitk.GetImageFromArray(values), sitk.GetImageFromArray(mask)
        ),
    )
    return image_like(image, as_float32(result).reshape(image.array.shape))


def slic(i: Value, size: Value, weight: Value) -> Image:
    """Segment an image into superpixels; return their labels in float32, from 0.

    `size` is the distance between seeds in voxels along each axis, at most the size of the image;
    `weight` is the weight, 0 or more, of the distance in voxels against that of the intensity.
    Channels are coordinates of the intensity. KernelError for NaN, for values over 1e18 and a
    weight over 1e15, whose squares are out of the range of float32. Source: ITK's SLICImageFilter
    (Achanta et al., 2012) with 5 iterations and connected labels; seeds 3 or more voxels apart are
    moved to the neighbour with the least gradient per mm.
    """
    image = require_image("slic", i)
    values = _require_finite("slic", image, largest=SLIC_LARGEST_VALUE)
    grid, proximity = require_integer("slic", size), require_number("slic", weight)
    if grid < 1:
        raise KernelError(f"slic: expected seeds at least 1 voxel apart, got {grid}")
    if not 0 <= proximity <= SLIC_LARGEST_WEIGHT:
        raise KernelError(
            f"slic: expected a weight within 0 and {SLIC_LARGEST_WEIGHT:g}, got {proximity}"
        )
    # ITK allocates unlimited memory for a grid larger than the image, and reads out of bounds when
    # it moves seeds that are less than 3 voxels apart or at the border.
    grids = [min(grid, side) for side in image.size]
    result = call_itk_image(
        "slic",
        lambda: sitk.SLIC(
            to_itk(image, values),
            superGridSize=grids,
            spatialProximityWeight=proximity,
            maximumNumberOfIterations=5,
            enforceConnectivity=True,
            initializationPerturbation=min(grids) >= 3,
        ),
    )
    return image_like(image, as_float32(result), 1)


def _require_finite(
    kernel: str, image: Image, mask: MaskArray | None = None, largest: float = _LARGEST_FLOAT32
) -> Float32Array:
    """Return the voxels in float32; those in the mask, if any, must be within +-`largest`."""
    values = as_float32(image)
    wrong = ~(np.abs(values) <= np.float32(largest))  # true for NaN
    if mask is not None:
        wrong &= mask.view(np.bool_)
    if wrong.any():
        where = " in the mask" if mask is not None else ""
        raise KernelError(
            f"{kernel}: expected values{where} within {-largest:.2g} and {largest:.2g}, got"
            f" {np.count_nonzero(wrong)} others (infinite, NaN or larger) in {describe(image)}"
        )
    return values
