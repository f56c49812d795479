"""The size and the geometry of an image file, by its header alone."""

from __future__ import annotations

import gzip
import os
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats import sniff
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.metaimage import normalize_metaimage
from voxk8s.formats.nifti import is_nifti_pair
from voxk8s.formats.nrrd import check_nrrd

_HEAD_BYTES: Final = 64 * 1024
"""Decompressed bytes that a header and its extensions are looked for in."""


def read_header(url: str, path: str, scratch: str, allow: Allow) -> dict[str, object]:
    """Return size (x, y[, z]), spacing and origin in mm, and direction.

    They are those of the image that `decode_file` returns. NIfTI, NRRD and MetaImage in one file
    only: raises InputUnavailable for other files, and for a header that cannot be read.
    """
    from voxk8s.formats.itk import error_message, sitk

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
    if found is sniff.META:
        name = normalize_metaimage(url, path, None, scratch, allow)
    elif found is sniff.NRRD or (found is sniff.NIFTI and not is_nifti_pair(head)):
        if found is sniff.NRRD:
            check_nrrd(url, path, None, allow)
        # ITK reads some formats only with their own suffix.
        name = os.path.join(scratch, f"voxk8s-header{found.suffix}")
        os.symlink(os.path.abspath(path), name)
    else:
        raise InputUnavailable(f"input {url}: headers of {found.name} files are not read alone")
    reader = sitk.ImageFileReader()
    reader.SetImageIO(found.reader)
    reader.SetFileName(name)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputUnavailable(f"input {url}: {error_message(error)}") from error
    if reader.GetDimension() not in (2, 3):
        raise InputUnavailable(f"input {url}: it has {reader.GetDimension()} axes")
    return {
        "size": reader.GetSize(),
        "spacing": reader.GetSpacing(),
        "origin": reader.GetOrigin(),
        "direction": reader.GetDirection(),
    }
