"""The size and the geometry of an image file, by its header alone."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from voxk8s.errors import InputUnavailable
from voxk8s.formats import sniff
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.dicom.gdcm import preserve_locale
from voxk8s.formats.dicom.series import series_slices
from voxk8s.formats.metaimage import normalize_metaimage
from voxk8s.formats.nifti import is_nifti_pair
from voxk8s.formats.nrrd import check_nrrd
from voxk8s.formats.tiff import tiff_grid

Header: TypeAlias = dict[str, Sequence[float]]
_HEAD_BYTES: Final = 64 * 1024
"""Decompressed bytes that a header and its extensions are looked for in."""


def read_header(
    url: str, paths: list[str], scratch: str, allow: Allow, *, series: bool = False
) -> Header:
    """Return size (x, y[, z]), spacing and origin in mm, and direction.

    They are those of the image that `decode_file` returns for the file, or `decode_series` for
    those of a DICOM series. NIfTI, NRRD and MetaImage in one file, DICOM and TIFF: raises
    InputUnavailable for other files, and for a header that cannot be read.
    """
    if series:
        return _series(url, paths)
    path = paths[0]
    head = sniff.read_head(path)
    if sniff.is_gzip(head):
        try:
            with gzip.open(path) as file:
                head = file.read(_HEAD_BYTES)
        except (OSError, EOFError) as error:
            raise InputUnavailable(f"input {url}: {error}") from error
        path = os.path.join(scratch, "head")
        with open(path, "wb") as file:
            file.write(head)
    found = sniff.sniff(url, head[: sniff.HEAD_BYTES])
    if found is sniff.TIFF and (grid := tiff_grid(url, path, allow)) is not None:
        size, spacing = grid
        return _header(size, spacing, (0.0,) * len(size), np.eye(len(size)).ravel().tolist())
    if found is sniff.META:
        name = normalize_metaimage(url, path, None, scratch, allow)
    elif found in (sniff.NRRD, sniff.DICOM, sniff.TIFF) or (
        found is sniff.NIFTI and not is_nifti_pair(head)
    ):
        if found is sniff.NRRD:
            check_nrrd(url, path, None, allow)
        # ITK reads some formats only with their own suffix.
        name = os.path.join(scratch, f"voxk8s-header{found.suffix}")
        os.symlink(os.path.abspath(path), name)
    else:
        raise InputUnavailable(f"input {url}: headers of {found.name} files are not read alone")
    with preserve_locale:
        return _read_with_itk(url, found, name)


def _read_with_itk(url: str, found: sniff.Format, name: str) -> Header:
    from voxk8s.formats.itk import error_message, sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO(found.reader)
    reader.SetFileName(name)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputUnavailable(f"input {url}: {error_message(error)}") from error
    if reader.GetDimension() not in (2, 3):
        raise InputUnavailable(f"input {url}: it has {reader.GetDimension()} axes")
    return _header(reader.GetSize(), reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection())


def _series(url: str, paths: list[str]) -> Header:
    """Return the header of a series: as ITK, from the first and the last slice."""
    slices = series_slices(url, paths)
    first, last = slices[0], slices[-1]
    with preserve_locale:
        header = _read_with_itk(url, sniff.DICOM, first.path)
    if len(slices) == 1:
        return header
    way = last.origin - first.origin
    length = float(np.linalg.norm(way))
    step = length / (len(slices) - 1) if length else 1.0
    axes = first.axes.copy()
    if length:
        axes[:, 2] = way / length
    spacing = header["spacing"]
    return _header(
        (*first.size[:2], len(slices)),
        (*spacing[:2], step),
        header["origin"],
        axes.ravel().tolist(),
    )


def _header(
    size: Sequence[int],
    spacing: Sequence[float],
    origin: Sequence[float],
    direction: Sequence[float],
) -> Header:
    return {"size": size, "spacing": spacing, "origin": origin, "direction": direction}
