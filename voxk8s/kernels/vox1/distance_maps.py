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
from voxk8s.kernels.arguments import require_bits, require_float32
from voxk8s.kernels.bit_volume import BitVolume, Box
from voxk8s.kernels.images import image_like, mask_like
from voxk8s.kernels.vox1.ball_dilation import ball_rows
from voxk8s.kernels.vox1.distance_transform import distance_transform
from voxk8s.values import Float32Array, Image, MaskArray, Value

FAR: Final = np.float32(1.8446743e19)
"""The distance to an empty mask: the root of the largest float32, as ITK defines it."""


def dt(a: Value) -> Image:
    """Return the signed distance to `a` in mm: positive outside, 0 on the contour, negative inside.

    The line 000111000 has the distances 3 2 1 0 -1 0 1 2 3. That of an empty mask is 1.8446743e19
    everywhere, that of a full one -1.8446743e19. float32, geometry of `a`.
    """
    image, mask = require_bits("dt", a)
    return image_like(image, _signed_distance(mask, image.spacing))


def pdt(a: Value) -> Image:
    """Return the distance to `a` in mm, 0 inside: max(dt(a), 0). float32, geometry of `a`."""
    image, mask = require_bits("pdt", a)
    distance = _signed_distance(mask, image.spacing)
    return image_like(image, np.maximum(distance, np.float32(0), out=distance))


def distleq(r: Value, a: Value) -> Image:
    """Return the mask of the voxels at most `r` mm from `a`: pdt(a) <= r, in float32.

    It contains `a` if r >= 0, and is empty if r < 0 or `a` is empty.
    """
    image, mask = require_bits("distleq", a)
    return mask_like(image, _at_most(mask, _radius("distleq", r), image.spacing))


def distgeq(r: Value, a: Value) -> Image:
    """Return the mask of the voxels at least `r` mm from `a`: pdt(a) >= r, in float32.

    It is full if r <= 0 or `a` is empty.
    """
    image, mask = require_bits("distgeq", a)
    closer = _within(mask, _radius("distgeq", r), image.spacing, closed=False)
    return mask_like(image, ~closer)


def smoothen(a: Value, r: Value) -> Image:
    """Smooth a mask by the radius `r` in mm: distleq(r, distgeq(r, not a)).

    Both comparisons include equality, so this is not the morphological opening: parts that are
    exactly `r` thick are kept. Empty stays empty.
    """
    image, mask = require_bits("smoothen", a)
    radius = _radius("smoothen", r)
    core = _erode(mask, radius, image.spacing, closed=False)
    return mask_like(image, _at_most(core, radius, image.spacing))


def erode(a: Value, r: Value) -> Image:
    """Erode by a ball: return the voxels more than `r` mm from the background.

    Definition: not distleq(r, not a). Outside the image is not background, so voxels at the border
    of the image are not eroded from there. If r >= 0, empty stays empty and full stays full; the
    result is full if r < 0.
    """
    image, mask = require_bits("erode", a)
    return mask_like(image, _erode(mask, _radius("erode", r), image.spacing, closed=True))


def dilate(a: Value, r: Value) -> Image:
    """Dilate by a ball: return the voxels at most `r` mm from `a`, as distleq(r, a).

    If r >= 0, empty stays empty and full stays full; the result is empty if r < 0.
    """
    image, mask = require_bits("dilate", a)
    return mask_like(image, _at_most(mask, _radius("dilate", r), image.spacing))


def imopen(a: Value, r: Value) -> Image:
    """Return the morphological opening by a ball of radius `r` in mm: dilate after erode.

    If r >= 0, empty stays empty and full stays full. Voxels at the border of the image are not
    eroded from outside.
    """
    image, mask = require_bits("imopen", a)
    radius = _radius("imopen", r)
    eroded = _erode(mask, radius, image.spacing, closed=True)
    return mask_like(image, _at_most(eroded, radius, image.spacing))


def imclose(a: Value, r: Value) -> Image:
    """Return the morphological closing by a ball of radius `r` in mm: erode after dilate.

    If r >= 0, empty stays empty and full stays full. Voxels at the border of the image are not
    eroded from outside.
    """
    image, mask = require_bits("imclose", a)
    radius = _radius("imclose", r)
    dilated = _at_most(mask, radius, image.spacing)
    return mask_like(image, _erode(dilated, radius, image.spacing, closed=True))


def _signed_distance(mask: BitVolume, spacing: tuple[float, ...]) -> Float32Array:
    contour = mask.contour()
    if not contour:
        return np.full(mask.shape, -FAR if mask else FAR, np.float32)
    inside = mask - contour
    return distance_transform(contour.voxels(), spacing, inside=inside.voxels())


def _at_most(mask: BitVolume, r: np.float32, spacing: tuple[float, ...]) -> BitVolume:
    """Return where pdt(mask) <= r."""
    return _within(mask, r, spacing, closed=True)


def _within(
    mask: BitVolume, r: np.float32, spacing: tuple[float, ...], *, closed: bool
) -> BitVolume:
    """Return where pdt(mask) <= r if `closed`, else where pdt(mask) < r."""
    if r > FAR or (closed and r == FAR):
        return mask | ~mask
    if r < 0 or (r == 0 and not closed):
        return mask - mask
    if r == 0:
        return mask
    ball = ball_rows(r, tuple(reversed(spacing)), mask.shape, closed=closed)
    if ball is not None:
        return mask.dilate(ball)
    box = _undecided_box(mask, r, spacing)
    if box is None:
        return mask
    voxels = mask.voxels()
    distance = _distance(voxels[box], spacing)
    voxels[box] = distance <= r if closed else distance < r
    return BitVolume.pack(voxels)


def _erode(
    mask: BitVolume, r: np.float32, spacing: tuple[float, ...], *, closed: bool
) -> BitVolume:
    """Return where pdt(not mask) > r if `closed`, else where pdt(not mask) >= r."""
    if 0 < r < FAR:
        ball = ball_rows(r, tuple(reversed(spacing)), mask.shape, closed=closed)
        if ball is not None:
            return mask.erode(ball)
    return ~_within(~mask, r, spacing, closed=closed)


def _undecided_box(mask: BitVolume, r: np.float32, spacing: tuple[float, ...]) -> Box | None:
    """Return the box outside which the mask itself shows what is within `r`; None if all does.

    Voxels outside the mask lie in the bounding box of its complement, and the contour one voxel
    around that; voxels within `r` of the mask lie in its own bounding box grown by `r`.
    """
    outside = (~mask).bounding_box()
    inside = mask.bounding_box()
    if outside is None or inside is None:
        return None
    reach = [
        math.ceil(min(float(r) / step, size)) + 1
        for step, size in zip(reversed(spacing), mask.shape, strict=True)
    ]
    box = tuple(
        slice(max(a.start - margin, b.start - 1, 0), min(a.stop + margin, b.stop + 1, extent))
        for a, b, margin, extent in zip(inside, outside, reach, mask.shape, strict=True)
    )
    return None if any(side.start >= side.stop for side in box) else box


def _distance(mask: MaskArray, spacing: tuple[float, ...]) -> Float32Array:
    """Return pdt within a box that contains the relevant part of the contour."""
    contour = BitVolume.pack(mask).contour()
    if not contour:
        return np.full(mask.shape, 0 if mask.any() else FAR, np.float32)
    distance = distance_transform(contour.voxels(), spacing)
    distance[mask.view(np.bool_)] = 0
    return distance


def _radius(kernel: str, value: Value) -> np.float32:
    radius = require_float32(kernel, value)
    if np.isnan(radius):
        raise KernelError(f"{kernel}: expected a radius in mm, got NaN")
    return radius
