"""Filters under names of their own: thresholds, gradients, superpixels, boxes, holes and means.

ITK runs on one thread, so results do not depend on how many there are.
"""

from __future__ import annotations

from typing import Final

import cc3d
import numpy as np
import SimpleITK as sitk

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.kernels.default.sequences import items_of, whole
from voxk8s.kernels.images import (
    as_float32,
    check_geometry,
    image_like,
    number,
    require_image,
    scalar_image,
)
from voxk8s.kernels.simpleitk.running import run_image
from voxk8s.kernels.vox1.operands import image_and_mask, one_mask
from voxk8s.values import Float32Array, Image, MaskArray, Value

LARGEST: Final = float(np.finfo(np.float32).max)
MOST_BINS: Final = 65_536
"""More bins than there are useful ones; ITK would take memory for any number."""


def otsu(i: Value, m: Value, bins: Value) -> Image:
    """Split an image in two inside a mask, by Otsu's threshold over a histogram of `bins` bins.

    uint8: 1 where the value is above the threshold, 0 below, at it and outside the mask. The
    histogram is of the voxels in the mask, the threshold the upper edge of a bin. An empty mask
    gives the empty mask. KernelError unless all values in the mask are finite in float32 and there
    are 1 to 65,536 bins, or when geometries differ. Source: ITK's OtsuThresholdImageFilter (Otsu,
    1979).
    """
    image, mask = image_and_mask("otsu", i, m)
    count = whole("otsu", bins)
    if not 1 <= count <= MOST_BINS:
        raise KernelError(f"otsu: needs at least one bin and at most {MOST_BINS}, not {count}")
    values = _finite("otsu", image, mask)
    if count == 1 or not mask.any():
        # Nothing is above the only bin; ITK would crash.
        return image_like(image, np.zeros_like(mask))
    split = run_image(
        "otsu",
        lambda: sitk.OtsuThreshold(
            to_itk(image, values),
            to_itk(image, mask),
            0,  # inside, that is at the threshold or below
            1,  # above
            count,
            True,  # mask the output ...
            1,  # ... by the voxels that are 1 in the mask
        ),
    )
    return image_like(image, np.bitwise_and(split.array.astype(np.uint8, copy=False), mask))


def gradient(i: Value) -> Image:
    """Give the magnitude of the gradient per mm, by central differences, in float32.

    At the border the image is continued by its outermost voxels, so along an axis of one voxel the
    gradient is 0. NaN and infinities spread to their neighbours. Source: ITK's
    GradientMagnitudeImageFilter with the image's spacing.
    """
    image = scalar_image("gradient", i)
    made = run_image("gradient", lambda: sitk.GradientMagnitude(to_itk(image, as_float32(image))))
    return image_like(image, as_float32(made))


def n4(i: Value, m: Value) -> Image:
    """Correct the bias field of an MRI inside a mask, in float32.

    The field is estimated in the mask and taken away everywhere; spacing plays no part. A volume of
    one voxel along an axis is corrected as the 2-D image that it is. KernelError when the mask is
    empty, when a value in it is not finite in float32, when fewer than two axes have two voxels, or
    when geometries differ. One thread, so the same bits everywhere. Source: ITK's
    N4BiasFieldCorrectionImageFilter with its defaults (Tustison et al., 2010).
    """
    image, mask = image_and_mask("n4", i, m)
    if not mask.any():
        raise KernelError("n4: the mask is empty")
    values = _finite("n4", image, mask)
    axes = [axis for axis, side in enumerate(mask.shape) if side > 1]
    if len(axes) < 2:
        raise KernelError(f"n4: {describe(image)} is too thin: two axes need two voxels")
    if len(axes) < mask.ndim:
        values, mask = values.squeeze(), mask.squeeze()
    made = run_image(
        "n4",
        lambda: sitk.N4BiasFieldCorrection(
            sitk.GetImageFromArray(values), sitk.GetImageFromArray(mask)
        ),
    )
    return image_like(image, as_float32(made).reshape(image.array.shape))


def slic(i: Value, size: Value, weight: Value) -> Image:
    """Divide an image into superpixels: labels in float32, from 0.

    `size` is the distance of the seeds in voxels along each axis, as far as the image reaches;
    `weight` that of space, in voxels, against intensity, 0 or more. Channels count as coordinates
    of the intensity. KernelError for NaN, for values beyond 1e18 and a weight beyond 1e15, whose
    squares float32 does not hold. Source: ITK's SLICImageFilter (Achanta et al., 2012), 5
    iterations, connected labels, seeds 3 or more voxels apart moved to the least gradient per mm
    beside them.
    """
    image = require_image("slic", i)
    values = _finite("slic", image, most=1e18)
    grid, proximity = whole("slic", size), number("slic", weight)
    if grid < 1:
        raise KernelError(f"slic: seeds {grid} voxels apart")
    if not 0 <= proximity <= 1e15:
        raise KernelError(f"slic: the weight {proximity} is not within 0 and 1e15")
    # A grid beyond the image takes memory without end; moving the seeds of a grid below 3, or at
    # the border, has ITK read beyond the image.
    grids = [min(grid, side) for side in image.size]
    made = run_image(
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
    return image_like(image, as_float32(made), 1)


def extract(i: Value, size: Value, index: Value) -> Image:
    """Cut a box of `size` voxels from `index` on; both are sequences in the order x, y[, z].

    The result keeps its type, channels and place in the world. KernelError when the box is empty or
    leaves the image, and for numbers that are not whole.
    """
    image = require_image("extract", i)
    extents = [whole("extract", item) for item in items_of("extract", size)]
    start = [whole("extract", item) for item in items_of("extract", index)]
    rank = image.dimension
    if len(extents) != rank or len(start) != rank:
        raise KernelError(f"extract: size and index need {rank} numbers, in the order x, y, z")
    ends = [first + extent for first, extent in zip(start, extents, strict=True)]
    if (
        min(extents) < 1
        or min(start) < 0
        or any(end > whole_size for end, whole_size in zip(ends, image.size, strict=True))
    ):
        raise KernelError(
            f"extract: the box from {start} of size {extents} is not within the image of size"
            f" {list(image.size)}"
        )
    box = tuple(slice(a, b) for a, b in zip(reversed(start), reversed(ends), strict=True))
    cosines = np.array(image.direction).reshape(rank, rank)
    moved = np.array(image.origin) + cosines @ (np.array(start) * np.array(image.spacing))
    return Image(
        np.ascontiguousarray(image.array[box]),
        image.spacing,
        tuple(float(place) for place in moved),
        image.direction,
        image.channels,
    )


def fillholes(a: Value) -> Image:
    """Fill the holes of a mask: what no path through faces connects with the image's border.

    The background is 6-connected (4 in 2-D), as it must be where masks are 26-connected. Empty
    stays empty, full stays full.
    """
    shape, mask = one_mask("fillholes", a)
    background = np.equal(mask, 0).view(np.uint8)
    volume = np.ascontiguousarray(background if mask.ndim == 3 else background[np.newaxis])
    labels, count = cc3d.connected_components(volume, connectivity=6, return_N=True)
    labels = labels.reshape(mask.shape)
    filled = np.ones(int(count) + 1, np.uint8)
    for axis in range(mask.ndim):
        for face in (0, -1):
            filled[np.take(labels, face, axis=axis)] = 0
    filled[0] = 1
    return image_like(shape, filled[labels])


def label_mean(i: Value, labels: Value) -> Image:
    """Give each voxel the mean of `i` over the voxels of its label, in float32.

    Labels are whole numbers of any type (as of lcc or slic), 0 one of them. Means are summed in
    float64. KernelError that names both when the geometries differ.
    """
    image, marks = scalar_image("label_mean", i), scalar_image("label_mean", labels)
    check_geometry("label_mean", image, marks)
    _, inverse = np.unique(marks.array, return_inverse=True)
    flat = inverse.reshape(-1)
    counts = np.bincount(flat)
    sums = np.bincount(flat, weights=as_float32(image).reshape(-1))
    means = (sums / counts).astype(np.float32)
    return image_like(image, means[flat].reshape(image.array.shape))


def _finite(
    kernel: str, image: Image, mask: MaskArray | None = None, most: float = LARGEST
) -> Float32Array:
    """Give the voxels in float32; KernelError if one (of the mask, if any) is beyond `most`."""
    values = as_float32(image)
    wrong = ~(np.abs(values) <= np.float32(most))  # NaN is not within anything
    if mask is not None:
        wrong &= mask.view(np.bool_)
    if wrong.any():
        where = " in the mask" if mask is not None else ""
        raise KernelError(
            f"{kernel}: {np.count_nonzero(wrong)} values of {describe(image)}{where} are"
            f" infinite, NaN or beyond {most:.2g}"
        )
    return values
