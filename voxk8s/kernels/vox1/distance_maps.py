"""Distance maps of masks, and morphology by a ball in mm.

The distance is Euclidean, in mm by the image's spacing, to the mask's *contour*: its voxels with a
26-neighbour (8-neighbour in 2-D) outside it. Outside the image is not background. Distances are
float32, exactly 0 on the contour at any spacing, negative inside. Source: ITK's
SignedMaurerDistanceMapImageFilter (Maurer et al., PAMI 2003) with insideIsPositive=false and
squaredDistance=false.

All kernels take a mask (true where not zero), 2-D or 3-D, at any spacing, and return an image of
its geometry: distances in float32, masks in uint8. KernelError for an image with several channels
and for a radius that is not a number or NaN; a radius out of the range of float32 is infinite.

Kernels that only compare a distance with a radius are computed within the box that the mask alone
does not decide, and as a dilation by a ball where that is faster.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_float32, require_mask
from voxk8s.kernels.images import image_like, invert_mask
from voxk8s.kernels.vox1.ball_dilation import Row, ball_rows, dilate_by_rows
from voxk8s.kernels.vox1.box_morphology import mask_contour
from voxk8s.kernels.vox1.distance_transform import Box, bounding_box, distance_transform, grow_box
from voxk8s.values import Float32Array, Image, MaskArray, Value

FAR: Final = np.float32(1.8446743e19)
"""The distance to an empty mask: the root of the largest float32, as ITK defines it."""


def dt(a: Value) -> Image:
    """Return the signed distance to `a` in mm: positive outside, 0 on the contour, negative inside.

    The line 000111000 has the distances 3 2 1 0 -1 0 1 2 3. That of an empty mask is 1.8446743e19
    everywhere, that of a full one -1.8446743e19. float32, geometry of `a`.
    """
    image, mask = require_mask("dt", a)
    return image_like(image, _signed_distance(mask, image.spacing))


def pdt(a: Value) -> Image:
    """Return the distance to `a` in mm, 0 inside: max(dt(a), 0). float32, geometry of `a`."""
    image, mask = require_mask("pdt", a)
    distance = _signed_distance(mask, image.spacing)
    return image_like(image, np.maximum(distance, np.float32(0), out=distance))


def distleq(r: Value, a: Value) -> Image:
    """Return the mask of the voxels at most `r` mm from `a`: pdt(a) <= r, in float32.

    It contains `a` if r >= 0, and is empty if r < 0 or `a` is empty.
    """
    image, mask = require_mask("distleq", a)
    return image_like(image, _at_most(mask, _radius("distleq", r), image.spacing))


def distgeq(r: Value, a: Value) -> Image:
    """Return the mask of the voxels at least `r` mm from `a`: pdt(a) >= r, in float32.

    It is full if r <= 0 or `a` is empty.
    """
    image, mask = require_mask("distgeq", a)
    return image_like(image, _at_least(mask, _radius("distgeq", r), image.spacing))


def smoothen(a: Value, r: Value) -> Image:
    """Smooth a mask by the radius `r` in mm: distleq(r, distgeq(r, not a)).

    Both comparisons include equality, so this is not the morphological opening: parts that are
    exactly `r` thick are kept. Empty stays empty.
    """
    image, mask = require_mask("smoothen", a)
    radius = _radius("smoothen", r)
    core = _at_least(invert_mask(mask), radius, image.spacing)
    return image_like(image, _at_most(core, radius, image.spacing))


def erode(a: Value, r: Value) -> Image:
    """Erode by a ball: return the voxels more than `r` mm from the background.

    Definition: not distleq(r, not a). Outside the image is not background, so voxels at the border
    of the image are not eroded from there. If r >= 0, empty stays empty and full stays full; the
    result is full if r < 0.
    """
    image, mask = require_mask("erode", a)
    return image_like(image, _erode(mask, _radius("erode", r), image.spacing))


def dilate(a: Value, r: Value) -> Image:
    """Dilate by a ball: return the voxels at most `r` mm from `a`, as distleq(r, a).

    If r >= 0, empty stays empty and full stays full; the result is empty if r < 0.
    """
    image, mask = require_mask("dilate", a)
    return image_like(image, _at_most(mask, _radius("dilate", r), image.spacing))


def imopen(a: Value, r: Value) -> Image:
    """Return the morphological opening by a ball of radius `r` in mm: dilate after erode.

    If r >= 0, empty stays empty and full stays full. Voxels at the border of the image are not
    eroded from outside.
    """
    image, mask = require_mask("imopen", a)
    radius = _radius("imopen", r)
    eroded = _erode(mask, radius, image.spacing)
    return image_like(image, _at_most(eroded, radius, image.spacing))


def imclose(a: Value, r: Value) -> Image:
    """Return the morphological closing by a ball of radius `r` in mm: erode after dilate.

    If r >= 0, empty stays empty and full stays full. Voxels at the border of the image are not
    eroded from outside.
    """
    image, mask = require_mask("imclose", a)
    radius = _radius("imclose", r)
    dilated = _at_most(mask, radius, image.spacing)
    return image_like(image, _erode(dilated, radius, image.spacing))


def _signed_distance(mask: MaskArray, spacing: tuple[float, ...]) -> Float32Array:
    contour = mask_contour(mask)
    if not contour.any():
        return np.full(mask.shape, -FAR if mask.any() else FAR, np.float32)
    inside = np.greater(mask, contour).view(np.uint8)
    return distance_transform(contour, spacing, inside=inside)


def _at_most(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> MaskArray:
    """Return where pdt(mask) <= r."""
    if r >= FAR:
        return np.ones_like(mask)
    if r < 0:
        return np.zeros_like(mask)
    box = _undecided_box(mask, r, spacing)
    if box is None:
        return mask.copy()
    result = mask.copy()
    rows = _ball(r, spacing, mask[box].shape, closed=True)
    if rows is not None:
        result[box] = dilate_by_rows(mask[box], rows)
    else:
        np.less_equal(_distance(mask[box], spacing), r, out=result[box], casting="unsafe")
    return result


def _at_least(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> MaskArray:
    """Return where pdt(mask) >= r."""
    if r <= 0:
        return np.ones_like(mask)
    if r > FAR:
        return np.zeros_like(mask)
    result = invert_mask(mask)
    box = _undecided_box(mask, r, spacing)
    if box is None:
        return result
    rows = _ball(r, spacing, mask[box].shape, closed=False)
    if rows is not None:
        result[box] = invert_mask(dilate_by_rows(mask[box], rows))
    else:
        np.greater_equal(_distance(mask[box], spacing), r, out=result[box], casting="unsafe")
    return result


def _erode(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> MaskArray:
    return invert_mask(_at_most(invert_mask(mask), r, spacing))


def _ball(
    r: np.float32, spacing: tuple[float, ...], shape: tuple[int, ...], *, closed: bool
) -> list[Row] | None:
    return ball_rows(r, tuple(reversed(spacing)), shape, closed=closed) if r > 0 else None


def _undecided_box(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> Box | None:
    """Return the box outside which the mask itself shows what is within `r`; None if all does.

    Voxels outside the mask lie in the bounding box of its complement, and the contour one voxel
    around that; voxels within `r` of the mask lie in its own bounding box grown by `r`.
    """
    outside = bounding_box(invert_mask(mask))
    inside = bounding_box(mask)
    if outside is None or inside is None:
        return None
    reach = [math.ceil(float(r) / step) + 1 for step in reversed(spacing)]
    far = grow_box(inside, reach, mask.shape)
    close = grow_box(outside, [1] * mask.ndim, mask.shape)
    box = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(far, close, strict=True)
    )
    return None if any(side.start >= side.stop for side in box) else box


def _distance(mask: MaskArray, spacing: tuple[float, ...]) -> Float32Array:
    """Return pdt within a box that contains the relevant part of the contour."""
    contour = mask_contour(mask)
    if not contour.any():
        return np.full(mask.shape, 0 if mask.any() else FAR, np.float32)
    distance = distance_transform(contour, spacing)
    distance[mask.view(np.bool_)] = 0
    return distance


def _radius(kernel: str, value: Value) -> np.float32:
    radius = require_float32(kernel, value)
    if np.isnan(radius):
        raise KernelError(f"{kernel}: expected a radius in mm, got NaN")
    return radius
