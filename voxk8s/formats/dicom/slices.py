"""Slices to a volume: whether they make one, and in which order.

ITK takes any order and any distances for an even grid; here slices that are none are refused, since
a volume has one spacing and axes at right angles.
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
_EVEN: Final = 0.1
"""How far off an even grid a slice may lie, in steps: positions are rounded in files."""
_UPRIGHT: Final = 0.01
"""How far slices may be shifted sideways, in parts of the way between them."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One file of a series: where it lies, how large it is, and ITK's number of its type."""

    path: str
    series: str
    number: str
    placed: bool
    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    spacing: float
    size: tuple[int, ...]
    pixel: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return os.path.basename(self.path)


def sort_slices(url: str, slices: list[Slice]) -> list[Slice]:
    """Give the slices of one series from the first to the last.

    Raises InputUnavailable, naming `url`, for several series, and for slices that lie on no even
    and upright grid.
    """
    _check_one_series(url, slices)
    if len(slices) == 1:
        return slices
    if any(extent > 1 for each in slices for extent in each.size[2:]):
        _refuse(url, "is made of files of several frames; load each by itself")
    sizes = sorted({each.size[:2] for each in slices})
    if len(sizes) > 1:
        shapes = " and ".join(f"{width}x{height}" for width, height in sizes[:2])
        _refuse(url, f"has slices of different sizes ({shapes}); put each size in its own folder")
    if not any(each.placed for each in slices):
        return _by_number(url, slices)
    if not all(each.placed for each in slices):
        lost = next(each.name for each in slices if not each.placed)
        _refuse(url, f"has slices without a position ({lost})")
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
    """Order slices that do not tell where they lie, which ITK puts 1 mm apart."""
    try:
        ordered = sorted(slices, key=lambda each: int(each.number))
    except ValueError:
        ordered = []
    if len({each.number for each in ordered}) < len(slices):
        _refuse(url, "has slices with neither positions nor numbers of their own to order them by")
    return ordered


def _check_grid(
    url: str, ordered: Sequence[Slice], origins: NDArray[np.float64], normal: NDArray[np.float64]
) -> None:
    heights = origins @ normal
    gaps = np.diff(heights)
    step = float(heights[-1] - heights[0]) / len(gaps)
    if float(gaps.min()) <= step * _EVEN:
        at = int(gaps.argmin())
        _refuse(
            url,
            f"has several slices at one place ({ordered[at].name} and {ordered[at + 1].name}); put"
            " each volume in its own folder",
        )
    even = heights[0] + step * np.arange(len(heights))
    if float(np.abs(heights - even).max()) > step * _EVEN:
        _refuse(
            url,
            f"has slices at uneven distances ({gaps.min():.4g} to {gaps.max():.4g} mm); one may be"
            f" missing after {ordered[int(gaps.argmax())].name}",
        )
    way = origins[-1] - origins[0]
    aside = float(np.linalg.norm(way - (way @ normal) * normal))
    if aside > max(ordered[0].spacing * _EVEN, float(np.linalg.norm(way)) * _UPRIGHT):
        angle = np.degrees(np.arctan2(aside, float(way @ normal)))
        _refuse(
            url,
            f"has slices that are shifted sideways (a gantry tilted by {angle:.1f} degrees);"
            " correct the tilt and load the result",
        )


def _refuse(url: str, detail: str) -> NoReturn:
    raise InputUnavailable(f"input {url}: the DICOM series {detail}")
