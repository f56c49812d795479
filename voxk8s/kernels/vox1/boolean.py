"""Boolean operators on masks, voxel by voxel.

All take masks (true where not zero) of one geometry and return uint8 masks of 0 and 1. Two truth
values (or numbers, true where not zero) result in a truth value; a truth value with a mask applies
to all voxels. KernelError for arguments of other types and for masks of different geometry.

Bits are combined, unless both masks would have to be packed for this result alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import check_geometry, require_scalar_image
from voxk8s.kernels.bit_volume import BitVolume, bits_of, keeps_bits
from voxk8s.kernels.images import image_like, invert_mask, mask_like
from voxk8s.values import Array, Image, Value

_Truth: TypeAlias = Array | np.bool_
_Operator: TypeAlias = Callable[[_Truth, _Truth], NDArray[np.bool_]]
_BitsOperator: TypeAlias = Callable[[BitVolume, BitVolume], BitVolume]


def and_(a: Value, b: Value) -> Value:
    """Return the intersection: the voxels in both masks (infix `&`)."""
    return _apply("and", np.logical_and, operator.and_, a, b)


def or_(a: Value, b: Value) -> Value:
    """Return the union: the voxels in one or both masks (infix `|`)."""
    return _apply("or", np.logical_or, operator.or_, a, b)


def diff(a: Value, b: Value) -> Value:
    """Return the difference: the voxels in `a` and not in `b` (infix `\\`)."""  # noqa: D301 one backslash
    return _apply("diff", lambda x, y: np.logical_and(x, np.logical_not(y)), operator.sub, a, b)


def not_(a: Value) -> Value:
    """Return the complement: the voxels not in `a` (prefix `!`)."""
    if isinstance(a, bool | int | float):
        return not a
    image = require_scalar_image("not", a)
    if keeps_bits(image):
        return mask_like(image, ~bits_of(image))
    return image_like(image, invert_mask(image.array))


def _apply(kernel: str, on_voxels: _Operator, on_bits: _BitsOperator, a: Value, b: Value) -> Value:
    images = [require_scalar_image(kernel, value) for value in (a, b) if isinstance(value, Image)]
    if not all(isinstance(value, Image | bool | int | float) for value in (a, b)):
        raise KernelError(f"{kernel}: expected masks, got {describe(a)} and {describe(b)}")
    if len(images) == 2:
        check_geometry(kernel, *images)
        if any(map(keeps_bits, images)):
            return mask_like(images[0], on_bits(*map(bits_of, images)))
    # Voxels without conversion to 0 and 1: these operators take what is not zero for true.
    truth = on_voxels(_truth(a), _truth(b))
    if not images:
        return bool(truth)
    return image_like(images[0], truth.view(np.uint8))


def _truth(value: Value) -> _Truth:
    return value.array if isinstance(value, Image) else np.bool_(value)
