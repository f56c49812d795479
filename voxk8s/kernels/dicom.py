"""A folder of DICOM files to a volume: which files make it up, in which order, and on what grid.

ITK takes any order and any distances for an even grid; here slices that are none are refused, since
a volume has one spacing and axes at right angles.
"""

from __future__ import annotations

import locale
import os
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.kernels.complaints import libjpeg_complaints

if TYPE_CHECKING:
    from voxk8s.values import Image

_HEAD_BYTES: Final = 4096
_CLASS, _SYNTAX = 0x0002, 0x0010  # of group 2: what the file is, how its voxels are encoded
_NO_IMAGE: Final = (
    "1.2.840.10008.1.3.10",  # DICOMDIR
    *(f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("11.", "88.", "104.", "9.", "481.3", "481.5")),
)
"""Presentation states, reports, documents, curves, plans: they lie beside images."""
_JPEG: Final = tuple(f"1.2.840.10008.1.2.4.{kind}" for kind in ("50", "51", "57", "70"))
_SERIES, _NUMBER, _POSITION = "0020|000e", "0020|0013", "0020|0032"
_MOST_NAMED: Final = 5
_EVEN: Final = 0.1
"""How far off an even grid a slice may lie, in steps: positions are rounded in files."""
_UPRIGHT: Final = 0.01
"""How far slices may be shifted sideways, in parts of the way between them."""


@dataclass(frozen=True, slots=True)
class _Slice:
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
        return os.path.basename(self.path)


def decode_series(url: str, paths: list[str]) -> Image:
    """Decode the files of one DICOM series into a volume, ordered by their positions.

    Files that are no DICOM, and DICOM files of no image, are left out. Slices of different types,
    as rescaling makes them, become one that holds all. Raises InputUnavailable if there is no
    series, more than one, one that lies on no even and upright grid, or one that is broken.
    """
    from voxk8s.kernels.itk import from_itk, reason_of, sitk

    heads = {path: _meta(path) for path in paths}
    images = [path for path, meta in heads.items() if meta is not None and _has_image(meta)]
    if not images:
        raise InputUnavailable(f"input {url}: the folder has no DICOM files")
    with same_locale():
        ordered = _in_order(url, [_read_slice(url, path) for path in images])
        reader = sitk.ImageSeriesReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileNames([each.path for each in ordered])
        pixels = {each.pixel for each in ordered}
        if len(pixels) > 1:
            whole = pixels <= {sitk.sitkInt8, sitk.sitkUInt8, sitk.sitkInt16, sitk.sitkUInt16}
            reader.SetOutputPixelType(sitk.sitkInt32 if whole else sitk.sitkFloat64)
        try:
            with jpeg_checked(url, *(heads[path] for path in images)):
                return from_itk(reader.Execute())
        except (RuntimeError, KernelError) as error:
            raise InputUnavailable(
                f"input {url}: the DICOM series cannot be read: {reason_of(error)}"
            ) from error


@contextmanager
def jpeg_checked(url: str, *metas: dict[int, str] | None) -> Iterator[None]:
    """Raise InputUnavailable for broken JPEG that is decoded inside the block."""
    if not any(meta and meta.get(_SYNTAX, "") in _JPEG for meta in metas):
        yield
        return
    with libjpeg_complaints(2) as complaints:
        yield
    if complaints:
        raise InputUnavailable(f"input {url}: the DICOM file is corrupted: {complaints[0]}")


@contextmanager
def same_locale() -> Iterator[None]:
    """Keep the locale of the process: GDCM leaves "C" behind, where Python's text is ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def read_meta(head: bytes) -> dict[int, str]:
    """Give the texts of group 2 of a DICOM file that begins with `head`, by element."""
    found: dict[int, str] = {}
    place = 132
    while place + 12 <= len(head):
        group, element, kind, size = struct.unpack_from("<HH2sH", head, place)
        place += 8
        if group != 2:
            break
        if kind in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
            (size,) = struct.unpack_from("<I", head, place)
            place += 4
        elif kind == b"UI":
            found[element] = head[place : place + size].rstrip(b"\0 ").decode("ascii", "replace")
        place += size
    return found


def _meta(path: str) -> dict[int, str] | None:
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    return read_meta(head) if head[128:132] == b"DICM" else None


def _has_image(meta: dict[int, str]) -> bool:
    return not meta.get(_CLASS, "").startswith(_NO_IMAGE)


def _read_slice(url: str, path: str) -> _Slice:
    from voxk8s.kernels.itk import reason_of, sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputUnavailable(
            f"input {url}: the DICOM file {os.path.basename(path)} cannot be read; it may be"
            f" corrupted or truncated: {reason_of(error)}"
        ) from error
    tags = {
        key: reader.GetMetaData(key).strip() if reader.HasMetaDataKey(key) else ""
        for key in (_SERIES, _NUMBER, _POSITION)
    }
    size = reader.GetSize()
    return _Slice(
        path,
        tags[_SERIES],
        tags[_NUMBER],
        bool(tags[_POSITION]),
        np.array(reader.GetOrigin()[:3]),
        np.array(reader.GetDirection()).reshape(len(size), len(size))[:3, :3],
        min(reader.GetSpacing()[:2]),
        tuple(size),
        reader.GetPixelID(),
    )


def _in_order(url: str, slices: list[_Slice]) -> list[_Slice]:
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


def _check_one_series(url: str, slices: Sequence[_Slice]) -> None:
    series = Counter(each.series for each in slices)
    if len(series) > 1:
        named = [f"{name or '?'} of {count} files" for name, count in sorted(series.items())]
        more = ", …" if len(named) > _MOST_NAMED else ""
        raise InputUnavailable(
            f"input {url}: the folder has {len(series)} DICOM series"
            f" ({', '.join(named[:_MOST_NAMED])}{more}); put each in its own folder"
        )


def _by_number(url: str, slices: list[_Slice]) -> list[_Slice]:
    """Order slices that do not tell where they lie, which ITK puts 1 mm apart."""
    try:
        ordered = sorted(slices, key=lambda each: int(each.number))
    except ValueError:
        ordered = []
    if len({each.number for each in ordered}) < len(slices):
        _refuse(url, "has slices with neither positions nor numbers of their own to order them by")
    return ordered


def _check_grid(
    url: str, ordered: Sequence[_Slice], origins: NDArray[np.float64], normal: NDArray[np.float64]
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
