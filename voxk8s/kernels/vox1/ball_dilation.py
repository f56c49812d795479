"""Binary dilation by a ball, with masks as bits: 64 voxels of a row in one word.

A ball is a stack of rows, each symmetric about the centre, so a dilation is the union of the mask
dilated along x and shifted along y and z. As bits a whole volume fits into the processor's cache,
which makes the dilation by a small ball many times faster than a distance map of the same mask.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxk8s.values import MaskArray

_WORD_BITS: Final = 64
_MOST_ROWS: Final = 500
"""A ball of more rows costs more than a distance map."""
_ROUNDING: Final = 1e-5
"""Least relative difference of a distance from the radius with the same order in any rounding."""

Words = NDArray[np.uint64]


class Row(NamedTuple):
    """A row of a ball: its offset from the centre, and the voxels to either side of its middle."""

    z: int
    y: int
    reach: int


def ball_rows(
    r: np.float32, steps: tuple[float, ...], shape: tuple[int, ...], *, closed: bool
) -> list[Row] | None:
    """Return the rows of the ball of radius `r` > 0 in mm; None if a distance map is faster.

    `steps` is the spacing in mm and `shape` the shape of the volume, both with x last. A closed
    ball contains the voxels at a distance of exactly `r`. Distances are compared in float32, as
    those of a distance map: at isotropic spacing the root of an integer times the spacing. At other
    spacings the sum of squares is rounded, so the result is None if a voxel is so close to the
    surface that rounding decides.
    """
    unit = steps[0] if len(set(steps)) == 1 else None
    if len(steps) == 2:
        steps, shape = (1.0, *steps), (1, *shape)
    sides = [
        min(math.floor(float(r) / step) + 1, size - 1)
        for step, size in zip(steps, shape, strict=True)
    ]
    if (2 * sides[0] + 1) * (2 * sides[1] + 1) > 2 * _MOST_ROWS or sides[2] >= _WORD_BITS:
        return None
    z, y, x = (axis.astype(np.float64) for axis in np.ogrid[tuple(slice(n + 1) for n in sides)])
    if unit is not None:
        distance = np.sqrt((z * z + y * y + x * x).astype(np.float32)) * np.float32(unit)
    else:
        squares = (z * steps[0]) ** 2 + (y * steps[1]) ** 2 + (x * steps[2]) ** 2
        distance = np.sqrt(squares.astype(np.float32))
        clear = np.abs(np.sqrt(squares) - float(r)) > r * _ROUNDING
        if not all(step.is_integer() for step in steps) and not clear.all():
            return None
    inside = distance <= r if closed else distance < r
    counts = np.count_nonzero(inside, axis=2)
    rows = [
        Row(int(dz) * z_sign, int(dy) * y_sign, int(counts[dz, dy]) - 1)
        for dz, dy in zip(*np.nonzero(counts), strict=True)
        for z_sign in ((1, -1) if dz else (1,))
        for y_sign in ((1, -1) if dy else (1,))
    ]
    return rows if len(rows) <= _MOST_ROWS else None


def dilate_by_rows(mask: MaskArray, rows: list[Row]) -> MaskArray:
    """Return the dilation of a 0/1 array by the ball of `rows`."""
    volume = mask if mask.ndim == 3 else mask[np.newaxis]
    dilated = words = _pack(volume)
    union = np.zeros_like(words)
    reach = 0
    for row in sorted(rows, key=lambda row: row.reach):
        while reach < row.reach:
            reach += 1
            dilated = dilated | _shift_both_ways(words, reach)
        target, source = _overlap(row, volume.shape)
        np.bitwise_or(union[target], dilated[source], out=union[target])
    bits = np.unpackbits(union.view(np.uint8), axis=-1, count=volume.shape[-1], bitorder="little")
    return bits.reshape(mask.shape)


def _pack(volume: MaskArray) -> Words:
    width = -(-volume.shape[-1] // _WORD_BITS)
    padded = np.zeros((*volume.shape[:-1], width * _WORD_BITS // 8), np.uint8)
    bits = np.packbits(volume, axis=-1, bitorder="little")
    padded[..., : bits.shape[-1]] = bits
    return padded.view("<u8")


def _shift_both_ways(words: Words, count: int) -> Words:
    """Return the union of the rows shifted by `count` < 64 voxels to the left and to the right."""
    shift, rest = np.uint64(count), np.uint64(_WORD_BITS - count)
    shifted = (words << shift) | (words >> shift)
    shifted[..., 1:] |= words[..., :-1] >> rest
    shifted[..., :-1] |= words[..., 1:] << rest
    return shifted


def _overlap(row: Row, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    ends = [(row.z, shape[0]), (row.y, shape[1])]
    target = tuple(slice(max(by, 0), size + min(by, 0)) for by, size in ends)
    source = tuple(slice(max(-by, 0), size - max(by, 0)) for by, size in ends)
    return (target[0], target[1]), (source[0], source[1])
