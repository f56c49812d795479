"""Tests of slices: their order, and grids that are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.dicom.slices import Slice, sort_slices


def _slice(name: str, z: float, *, number: str = "1", has_position: bool = True) -> Slice:
    origin = np.array([0.0, 0.0, z])
    return Slice(f"/data/{name}", "1.2", number, has_position, origin, np.eye(3), 0.5, (5, 4, 1), 1)


def _names(slices: list[Slice]) -> list[str]:
    return [each.name for each in sort_slices("s3://a/", slices)]


def test_slices_are_sorted_by_position() -> None:
    """The position along the normal decides, neither names nor numbers."""
    assert _names([_slice("a", 4.0), _slice("b", 0.0), _slice("c", 2.0)]) == ["b", "c", "a"]


def test_slices_without_positions_are_sorted_by_number() -> None:
    """Instance numbers are compared as numbers, and must differ."""
    numbers = {"a": "10", "b": "9", "c": "1"}
    slices = [_slice(name, 0.0, number=n, has_position=False) for name, n in numbers.items()]
    assert _names(slices) == ["c", "b", "a"]
    with pytest.raises(InputUnavailable, match="neither positions nor distinct instance numbers"):
        _names([*slices, slices[0]])
    with pytest.raises(InputUnavailable, match=r"slices without a position \(a\)"):
        _names([*slices, _slice("d", 1.0)])


@pytest.mark.parametrize(
    ("heights", "words"),
    [
        ((0.0, 2.0, 6.0, 8.0), r"unequal distances \(2 to 4 mm\); one may be missing after 1"),
        ((0.0, 2.0, 2.0, 4.0), r"several slices at one position \(1 and 2\)"),
    ],
)
def test_irregular_grids_are_refused(heights: tuple[float, ...], words: str) -> None:
    """The error names the slices next to the irregularity."""
    with pytest.raises(InputUnavailable, match=f"s3://a/: the DICOM series has .*{words}"):
        _names([_slice(str(place), z) for place, z in enumerate(heights)])


def test_a_tilted_gantry_is_refused() -> None:
    """Slices that are shifted sideways are an error with the angle."""
    tilted = [replace(_slice("a", z), origin=np.array([0.0, z, z])) for z in (0.0, 2.0, 4.0)]
    with pytest.raises(InputUnavailable, match=r"a gantry tilted by 45\.0 degrees"):
        _names(tilted)


def test_several_series_are_refused() -> None:
    """The error lists the series with the numbers of their files."""
    slices = [_slice("a", 0.0), _slice("b", 1.0), replace(_slice("c", 2.0), series="1.3")]
    with pytest.raises(InputUnavailable, match=r"2 DICOM series \(1\.2 of 2 files, 1\.3 of 1 fil"):
        _names(slices)
