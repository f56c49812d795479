"""Distances to a mask, and morphology by distance.

The distance is Euclidean in mm, by the image's spacing, to the mask's *contour*: its voxels that
have a 26- (8-) neighbour outside it. Outside the image is not background. Distances are float32,
exactly 0 on the contour at any spacing, negative inside. Source: ITK's
SignedMaurerDistanceMapImageFilter (Maurer et al., PAMI 2003) with insideIsPositive=false and
squaredDistance=false.

All take a mask (true where not zero) of 2 or 3 axes at any spacing, and give an image of its
geometry: distances as float32, masks as uint8. KernelError for an image of colour and for a radius
that is no number or NaN; one beyond float32 is infinite.

What only compares a distance with a radius is computed within the box where the answer is open,
and as a dilation by a ball where that is cheaper.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.images import float32_number, image_like
from voxk8s.kernels.vox1.ball import Row, ball, dilated
from voxk8s.kernels.vox1.boxes import Box, bounding_box, grown
from voxk8s.kernels.vox1.neighbourhood import contour_array
from voxk8s.kernels.vox1.operands import one_mask
from voxk8s.kernels.vox1.transform import distances
from voxk8s.values import Float32Array, Image, MaskArray, Value

FAR: Final = np.float32(1.8446743e19)
"""The distance to nothing: the root of the largest float32, as ITK gives it."""


def dt(a: Value) -> Image:
    """Give the signed distance to `a` in mm: positive outside, 0 on the contour, negative inside.

    Line 000111000 gives 3 2 1 0 -1 0 1 2 3. An empty mask gives 1.8446743e19 everywhere, a full one
    -1.8446743e19. float32, geometry of `a`.
    """
    shape, mask = one_mask("dt", a)
    return image_like(shape, _signed(mask, shape.spacing))


def pdt(a: Value) -> Image:
    """Give the distance to `a` in mm, 0 inside: dt where positive. float32, geometry of `a`."""
    shape, mask = one_mask("pdt", a)
    distance = _signed(mask, shape.spacing)
    return image_like(shape, np.maximum(distance, np.float32(0), out=distance))


def distleq(r: Value, a: Value) -> Image:
    """Give the mask of the voxels at most `r` mm from `a`: pdt(a) <= r, in float32.

    Contains `a` when r >= 0, is empty when r < 0 or `a` is empty.
    """
    shape, mask = one_mask("distleq", a)
    return image_like(shape, _within(mask, _radius("distleq", r), shape.spacing))


def distgeq(r: Value, a: Value) -> Image:
    """Give the mask of the voxels at least `r` mm from `a`: pdt(a) >= r, in float32.

    Full when r <= 0 or `a` is empty.
    """
    shape, mask = one_mask("distgeq", a)
    return image_like(shape, _beyond(mask, _radius("distgeq", r), shape.spacing))


def smoothen(a: Value, r: Value) -> Image:
    """Smooth a mask by the radius `r` in mm: distleq(r, distgeq(r, not a)).

    Both comparisons include equality, so it is not the morphological opening: what is exactly `r`
    thick survives. Empty stays empty.
    """
    shape, mask = one_mask("smoothen", a)
    radius = _radius("smoothen", r)
    core = _beyond(_not(mask), radius, shape.spacing)
    return image_like(shape, _within(core, radius, shape.spacing))


def erode(a: Value, r: Value) -> Image:
    """Give the voxels more than `r` mm from the outside: not distleq(r, not a).

    Outside the image is not the outside: voxels at the border survive. Empty stays empty and full
    full when r >= 0; full when r < 0.
    """
    shape, mask = one_mask("erode", a)
    return image_like(shape, _eroded(mask, _radius("erode", r), shape.spacing))


def dilate(a: Value, r: Value) -> Image:
    """Give the voxels at most `r` mm from `a`: distleq(r, a).

    Empty stays empty and full full when r >= 0; empty when r < 0.
    """
    shape, mask = one_mask("dilate", a)
    return image_like(shape, _within(mask, _radius("dilate", r), shape.spacing))


def imopen(a: Value, r: Value) -> Image:
    """Open a mask by the radius `r` in mm: dilate after erode.

    Empty stays empty and full full when r >= 0. Voxels at the border are not eroded from outside.
    """
    shape, mask = one_mask("imopen", a)
    radius = _radius("imopen", r)
    eroded = _eroded(mask, radius, shape.spacing)
    return image_like(shape, _within(eroded, radius, shape.spacing))


def imclose(a: Value, r: Value) -> Image:
    """Close a mask by the radius `r` in mm: erode after dilate.

    Empty stays empty and full full when r >= 0. Voxels at the border are not eroded from outside.
    """
    shape, mask = one_mask("imclose", a)
    radius = _radius("imclose", r)
    dilated = _within(mask, radius, shape.spacing)
    return image_like(shape, _eroded(dilated, radius, shape.spacing))


def _signed(mask: MaskArray, spacing: tuple[float, ...]) -> Float32Array:
    contour = contour_array(mask)
    if not contour.any():
        return np.full(mask.shape, -FAR if mask.any() else FAR, np.float32)
    return distances(contour, spacing, inside=np.greater(mask, contour).view(np.uint8))


def _within(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> MaskArray:
    """Give where pdt(mask) <= r."""
    if r >= FAR:
        return np.ones_like(mask)
    if r < 0:
        return np.zeros_like(mask)
    box = _open_box(mask, r, spacing)
    if box is None:
        return mask.copy()
    result = mask.copy()
    rows = _ball(r, spacing, mask[box].shape, closed=True)
    if rows is not None:
        result[box] = dilated(mask[box], rows)
    else:
        np.less_equal(_outside(mask[box], spacing), r, out=result[box], casting="unsafe")
    return result


def _beyond(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> MaskArray:
    """Give where pdt(mask) >= r."""
    if r <= 0:
        return np.ones_like(mask)
    if r > FAR:
        return np.zeros_like(mask)
    result = _not(mask)
    box = _open_box(mask, r, spacing)
    if box is None:
        return result
    rows = _ball(r, spacing, mask[box].shape, closed=False)
    if rows is not None:
        result[box] = _not(dilated(mask[box], rows))
    else:
        np.greater_equal(_outside(mask[box], spacing), r, out=result[box], casting="unsafe")
    return result


def _ball(
    r: np.float32, spacing: tuple[float, ...], shape: tuple[int, ...], *, closed: bool
) -> list[Row] | None:
    return ball(r, tuple(reversed(spacing)), shape, closed=closed) if r > 0 else None


def _open_box(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> Box | None:
    """Give the box outside of which the mask itself tells what is within `r`; None if all does.

    Voxels outside the mask lie in the box of its complement, and the contour one voxel around
    that; voxels within `r` of the mask lie in its own box grown by `r`.
    """
    outside = bounding_box(_not(mask))
    inside = bounding_box(mask)
    if outside is None or inside is None:
        return None
    reach = [math.ceil(float(r) / step) + 1 for step in reversed(spacing)]
    far = grown(inside, reach, mask.shape)
    close = grown(outside, [1] * mask.ndim, mask.shape)
    box = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(far, close, strict=True)
    )
    return None if any(side.start >= side.stop for side in box) else box


def _outside(mask: MaskArray, spacing: tuple[float, ...]) -> Float32Array:
    """Give pdt within a box that holds what matters of the contour."""
    contour = contour_array(mask)
    if not contour.any():
        return np.full(mask.shape, 0 if mask.any() else FAR, np.float32)
    distance = distances(contour, spacing)
    distance[mask.view(np.bool_)] = 0
    return distance


def _eroded(mask: MaskArray, r: np.float32, spacing: tuple[float, ...]) -> MaskArray:
    return _not(_within(_not(mask), r, spacing))


def _not(mask: MaskArray) -> MaskArray:
    inverted: MaskArray = np.equal(mask, 0).view(np.uint8)
    return inverted


def _radius(kernel: str, value: Value) -> np.float32:
    radius = float32_number(kernel, value)
    if np.isnan(radius):
        raise KernelError(f"{kernel}: the radius is NaN")
    return radius
