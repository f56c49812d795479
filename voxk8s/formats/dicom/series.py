"""A folder of DICOM files as a volume: which files are slices, and their voxels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.dicom.elements import parse_file_meta
from voxk8s.formats.dicom.gdcm import check_complete, check_jpeg_frames, preserve_locale
from voxk8s.formats.dicom.slices import Slice, sort_slices
from voxk8s.formats.sniff import read_head

if TYPE_CHECKING:
    from voxk8s.values import Image

_CLASS: Final = 0x0002  # the element of group 2 with what a file is
_NO_IMAGE: Final = (
    "1.2.840.10008.1.3.10",  # DICOMDIR
    *(f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("11.", "88.", "104.", "9.", "481.3", "481.5")),
)
"""Presentation states, reports, documents, curves and plans, often stored next to images."""
_SERIES, _NUMBER, _POSITION = "0020|000e", "0020|0013", "0020|0032"


def decode_series(url: str, paths: list[str], allow: Allow) -> Image:
    """Decode the files of one DICOM series into a volume, ordered by their positions.

    Other files, and DICOM files without an image, are left out. Slices that rescaling gives
    different types are converted to a type that holds all. Raises InputUnavailable if there is not
    exactly one series, and for a series that is damaged or not on a regular, orthogonal grid.
    """
    from voxk8s.formats.itk import error_message, from_itk, sitk

    heads = _image_heads(url, paths)
    with preserve_locale:
        ordered = sort_slices(url, [_read_slice(url, path, head) for path, head in heads.items()])
        reader = sitk.ImageSeriesReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileNames([each.path for each in ordered])
        allow(sum(each.bytes for each in ordered))
        pixels = {each.pixel for each in ordered}
        if len(pixels) > 1:
            integers = pixels <= {sitk.sitkInt8, sitk.sitkUInt8, sitk.sitkInt16, sitk.sitkUInt16}
            reader.SetOutputPixelType(sitk.sitkInt32 if integers else sitk.sitkFloat64)
        try:
            with check_jpeg_frames(url, *heads.values()):
                return from_itk(reader.Execute())
        except (RuntimeError, KernelError) as error:
            raise InputUnavailable(
                f"input {url}: the DICOM series cannot be read: {error_message(error)}"
            ) from error


def series_slices(url: str, paths: list[str]) -> list[Slice]:
    """Return the slices of the one series of these files in order; raises InputUnavailable."""
    heads = _image_heads(url, paths)
    with preserve_locale:
        return sort_slices(url, [_read_slice(url, path, head) for path, head in heads.items()])


def _image_heads(url: str, paths: list[str]) -> dict[str, bytes]:
    """Return the first bytes of the files that are slices."""
    heads = {path: head for path in paths if _has_image(head := read_head(path))}
    if not heads:
        raise InputUnavailable(f"input {url}: the folder has no DICOM files")
    return heads


def _has_image(head: bytes) -> bool:
    kind = parse_file_meta(head).get(_CLASS, "")
    return head[128:132] == b"DICM" and not kind.startswith(_NO_IMAGE)


def _read_slice(url: str, path: str, head: bytes) -> Slice:
    from voxk8s.formats.itk import error_message, image_bytes, sitk

    check_complete(url, path, head, os.path.basename(path))
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
        image_bytes(reader),
    )
