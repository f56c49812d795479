"""Boxes of voxels: where a mask lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from voxk8s.values import MaskArray

Box: TypeAlias = tuple[slice, ...]


def bounding_box(mask: MaskArray) -> Box | None:
    """Give the smallest box that holds all true voxels of a 0/1 array; None if there are none."""
    box: list[slice] = []
    part = mask
    for axis in range(mask.ndim):
        # Each axis is searched within the box found so far.
        others = tuple(other for other in range(mask.ndim) if other != axis)
        hits = np.flatnonzero(np.bitwise_or.reduce(part, axis=others))
        if not hits.size:
            return None
        side = slice(int(hits[0]), int(hits[-1]) + 1)
        box.append(side)
        part = part[(slice(None),) * axis + (side,)]
    return tuple(box)


def grown(box: Box, by: Sequence[int], shape: Sequence[int]) -> Box:
    """Grow a box by so many voxels along each axis, within an array of `shape`."""
    return tuple(
        slice(max(0, side.start - more), min(extent, side.stop + more))
        for side, more, extent in zip(box, by, shape, strict=True)
    )
