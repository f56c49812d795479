"""A folder of DICOM files to a volume: which files are slices, and their voxels."""

from __future__ import annotations

import locale
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.formats.dicom.elements import is_complete
from voxk8s.formats.dicom.slices import Slice, sort_slices
from voxk8s.formats.jpeg import capture_libjpeg_errors
from voxk8s.formats.sniff import HEAD_BYTES

if TYPE_CHECKING:
    from voxk8s.values import Image

_CLASS, _SYNTAX = 0x0002, 0x0010  # of group 2: what the file is, how its voxels are encoded
_NO_IMAGE: Final = (
    "1.2.840.10008.1.3.10",  # DICOMDIR
    *(f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("11.", "88.", "104.", "9.", "481.3", "481.5")),
)
"""Presentation states, reports, documents, curves, plans: they lie beside images."""
_JPEG: Final = tuple(f"1.2.840.10008.1.2.4.{kind}" for kind in ("50", "51", "57", "70"))
_SERIES, _NUMBER, _POSITION = "0020|000e", "0020|0013", "0020|0032"


def decode_series(url: str, paths: list[str]) -> Image:
    """Decode the files of one DICOM series into a volume, ordered by their positions.

    Files that are no DICOM, and DICOM files of no image, are left out. Slices of different types,
    as rescaling makes them, become one that holds all. Raises InputUnavailable if there is no
    series, more than one, one that lies on no even and upright grid, or one that is broken.
    """
    from voxk8s.formats.itk import error_message, from_itk, sitk

    heads = {path: _meta(path) for path in paths}
    images = [path for path, meta in heads.items() if meta is not None and _has_image(meta)]
    if not images:
        raise InputUnavailable(f"input {url}: the folder has no DICOM files")
    with preserve_locale:
        ordered = sort_slices(url, [_read_slice(url, path, heads[path] or {}) for path in images])
        reader = sitk.ImageSeriesReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileNames([each.path for each in ordered])
        pixels = {each.pixel for each in ordered}
        if len(pixels) > 1:
            whole = pixels <= {sitk.sitkInt8, sitk.sitkUInt8, sitk.sitkInt16, sitk.sitkUInt16}
            reader.SetOutputPixelType(sitk.sitkInt32 if whole else sitk.sitkFloat64)
        try:
            with check_jpeg_frames(url, *(heads[path] for path in images)):
                return from_itk(reader.Execute())
        except (RuntimeError, KernelError) as error:
            raise InputUnavailable(
                f"input {url}: the DICOM series cannot be read: {error_message(error)}"
            ) from error


@contextmanager
def check_jpeg_frames(url: str, *metas: dict[int, str] | None) -> Iterator[None]:
    """Raise InputUnavailable for broken JPEG that is decoded inside the block."""
    if not any(meta and meta.get(_SYNTAX, "") in _JPEG for meta in metas):
        yield
        return
    with capture_libjpeg_errors(2) as complaints:
        yield
    if complaints:
        raise InputUnavailable(f"input {url}: the DICOM file is corrupted: {complaints[0]}")


class _Locale:
    """The locale of the process, while threads call what changes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = ""

    def __enter__(self) -> None:
        with self._lock:
            if not self._users:
                self._before = locale.setlocale(locale.LC_ALL)
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:  # another thread would take what GDCM has set for what was before
                locale.setlocale(locale.LC_ALL, self._before)


preserve_locale: Final = _Locale()
"""Keeps the locale of the process: GDCM leaves "C" behind, where Python's text is ASCII."""


def parse_file_meta(head: bytes) -> dict[int, str]:
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
        head = file.read(HEAD_BYTES)
    return parse_file_meta(head) if head[128:132] == b"DICM" else None


def _has_image(meta: dict[int, str]) -> bool:
    return not meta.get(_CLASS, "").startswith(_NO_IMAGE)


def check_complete(url: str, path: str, meta: dict[int, str], name: str = "") -> None:
    """Raise InputUnavailable for a DICOM file that lacks an end; `name` is told if it is given."""
    if not is_complete(path, meta.get(_SYNTAX, "")):
        shown = f" {name}" if name else ""
        raise InputUnavailable(f"input {url}: the DICOM file{shown} is truncated or corrupted")


def _read_slice(url: str, path: str, meta: dict[int, str]) -> Slice:
    from voxk8s.formats.itk import error_message, sitk

    check_complete(url, path, meta, os.path.basename(path))
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputUnavailable(
            f"input {url}: the DICOM file {os.path.basename(path)} cannot be read; it may be"
            f" corrupted or truncated: {error_message(error)}"
        ) from error
    tags = {
        key: reader.GetMetaData(key).strip() if reader.HasMetaDataKey(key) else ""
        for key in (_SERIES, _NUMBER, _POSITION)
    }
    size = reader.GetSize()
    return Slice(
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
