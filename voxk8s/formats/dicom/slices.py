"""Slices of a volume: their order, and whether they are on a regular, orthogonal grid.

ITK accepts slices in any order and at any distances; here they are refused unless they are on such
a grid, since a volume has one spacing and axes at right angles.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import InputUnavailable

_MOST_NAMED: Final = 5
_UNEVEN: Final = 0.1
"""Largest distance of a slice from a regular grid, in steps: positions in files are rounded."""
_TILT: Final = 0.01
"""Largest sideways shift of slices, as a fraction of their distance."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One file of a series: its position and size, and ITK's number of its pixel type.

    `bytes` is the size of its voxels in memory.
    """

    path: str
    series: str
    number: str
    has_position: bool
    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    spacing: float
    size: tuple[int, ...]
    pixel: int
    bytes: int = 0

    @property
    def name(self) -> str:
        """The name of the file."""
        return os.path.basename(self.path)


def sort_slices(url: str, slices: list[Slice]) -> list[Slice]:
    """Return the slices of one series, sorted along its normal.

    Raises InputUnavailable for several series, and for slices that are not on a regular,
    orthogonal grid.
    """
    _check_one_series(url, slices)
    if len(slices) == 1:
        return slices
    if any(extent > 1 for each in slices for extent in each.size[2:]):
        _refuse(url, "has several files with several frames each; load each file separately")
    sizes = sorted({each.size[:2] for each in slices})
    if len(sizes) > 1:
        shapes = " and ".join(f"{width}x{height}" for width, height in sizes[:2])
        _refuse(url, f"has slices of different sizes ({shapes}); put each size in its own folder")
    if not any(each.has_position for each in slices):
        return _by_number(url, slices)
    if not all(each.has_position for each in slices):
        missing = next(each.name for each in slices if not each.has_position)
        _refuse(url, f"has slices without a position ({missing})")
    axes = slices[0].axes
    if not all(np.allclose(each.axes, axes, atol=1e-3) for each in slices):
        _refuse(url, "has slices that are not parallel; put each orientation in its own folder")
    normal = axes[:, 2]
    ordered = sorted(slices, key=lambda each: (float(each.origin @ normal), each.path))
    _check_grid(url, ordered, np.array([each.origin for each in ordered]), normal)
    return ordered


def _check_one_series(url: str, slices: Sequence[Slice]) -> None:
    series = Counter(each.series for each in slices)
    if len(series) > 1:
        named = [f"{name or '?'} of {count} files" for name, count in sorted(series.items())]
        more = ", …" if len(named) > _MOST_NAMED else ""
        raise InputUnavailable(
            f"input {url}: the folder has {len(series)} DICOM series"
            f" ({', '.join(named[:_MOST_NAMED])}{more}); put each in its own folder"
        )


def _by_number(url: str, slices: list[Slice]) -> list[Slice]:
    """Sort slices without positions, which ITK puts 1 mm apart, by instance number."""
    try:
        ordered = sorted(slices, key=lambda each: int(each.number))
    except ValueError:
        ordered = []
    if len({each.number for each in ordered}) < len(slices):
        _refuse(url, "has slices with neither positions nor distinct instance numbers")
    return ordered


def _check_grid(
    url: str, ordered: Sequence[Slice], origins: NDArray[np.float64], normal: NDArray[np.float64]
) -> None:
    heights = origins @ normal
    gaps = np.diff(heights)
    step = float(heights[-1] - heights[0]) / len(gaps)
    if float(gaps.min()) <= step * _UNEVEN:
        at = int(gaps.argmin())
        _refuse(
            url,
            f"has several slices at one position ({ordered[at].name} and {ordered[at + 1].name});"
            " put each volume in its own folder",
        )
    even = heights[0] + step * np.arange(len(heights))
    if float(np.abs(heights - even).max()) > step * _UNEVEN:
        _refuse(
            url,
            f"has slices at unequal distances ({gaps.min():.4g} to {gaps.max():.4g} mm); one may be"
            f" missing after {ordered[int(gaps.argmax())].name}",
        )
    offset = origins[-1] - origins[0]
    aside = float(np.linalg.norm(offset - (offset @ normal) * normal))
    if aside > max(ordered[0].spacing * _UNEVEN, float(np.linalg.norm(offset)) * _TILT):
        angle = np.degrees(np.arctan2(aside, float(offset @ normal)))
        _refuse(
            url,
            f"has slices that are shifted sideways (a gantry tilted by {angle:.1f} degrees);"
            " resample it without the tilt",
        )


def _refuse(url: str, detail: str) -> NoReturn:
    raise InputUnavailable(f"input {url}: the DICOM series {detail}")
