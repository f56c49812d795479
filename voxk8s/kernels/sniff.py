"""Which format bytes have, found from the bytes alone, and whether they are whole.

ITK decides by file names and forgives much: it fills a truncated NIfTI with zeros and reads what a
header names elsewhere on the disk. Here the content decides, and a file must be whole and stand
alone.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.kernels.companions import data_file
from voxk8s.kernels.pages import fault_in_pages


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the suffix that ITK wants in a file name, and ITK's name for its reader."""

    name: str
    suffix: str
    reader: str


NIFTI: Final = Format("NIfTI", ".nii", "NiftiImageIO")
META: Final = Format("MetaImage", ".mha", "MetaImageIO")
NRRD: Final = Format("NRRD", ".nrrd", "NrrdImageIO")
PNG: Final = Format("PNG", ".png", "PNGImageIO")
JPEG: Final = Format("JPEG", ".jpg", "JPEGImageIO")
TIFF: Final = Format("TIFF", ".tif", "TIFFImageIO")
BMP: Final = Format("BMP", ".bmp", "BMPImageIO")
DICOM: Final = Format("DICOM", ".dcm", "GDCMImageIO")
JSON: Final = Format("JSON", ".json", "")

READABLE: Final = "NIfTI, MetaImage (.mha), NRRD, PNG, JPEG, TIFF, BMP, DICOM or JSON"
HEAD_BYTES: Final = 4096
_TIFF_MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_gzip(head: bytes) -> bool:
    """Tell whether the bytes are compressed by gzip."""
    return head[:2] == b"\x1f\x8b"


def sniff(url: str, head: bytes) -> Format:
    """Name the format of a file by its first bytes; raises InputUnavailable for an unknown one."""
    if not head:
        raise InputUnavailable(f"input {url}: the file is empty")
    found = _by_magic(head)
    if found is not None:
        return found
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return JSON
    if re.match(rb"\s*(Comment|ObjectType|NDims)\s*=", head):
        return META
    raise InputUnavailable(f"input {url}: not an image or document that is read ({READABLE})")


def _by_magic(head: bytes) -> Format | None:
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return NIFTI
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(_TIFF_MAGIC):
        return TIFF
    if head.startswith(b"NRRD000"):
        return NRRD
    if head[128:132] == b"DICM":
        return DICOM
    if head.startswith(b"BM") and len(head) >= 26:
        return BMP
    return None


def check_whole(url: str, found: Format, path: str, beside: str | None = None) -> None:
    """Raise InputUnavailable if the file lacks an end or needs another file than `beside`."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, size - HEAD_BYTES))
        tail = file.read()
    if found is NIFTI:
        _check_nifti(url, head, size)
    elif found is META or found is NRRD:
        other = data_file(head)
        if other is not None and other != beside:
            raise _stands_not_alone(url, found, other)
    elif found is TIFF:
        fault = fault_in_pages(path)
        if fault is not None:
            raise InputUnavailable(f"input {url}: the TIFF file is {fault}")
    elif (found is PNG and b"IEND" not in tail) or (found is JPEG and b"\xff\xd9" not in tail):
        raise truncated(url, found)


def truncated(url: str, found: Format) -> InputUnavailable:
    """Make the error for a file that ends too early."""
    return InputUnavailable(f"input {url}: the {found.name} file is truncated")


def _stands_not_alone(url: str, found: Format, other: str) -> InputUnavailable:
    return InputUnavailable(
        f"input {url}: the {found.name} header keeps its voxels in another file ({other}); save it"
        f" as one file ({found.suffix})"
    )


def _check_nifti(url: str, head: bytes, size: int) -> None:
    if head[4:8] in (b"n+2\0", b"ni2\0"):
        raise InputUnavailable(f"input {url}: NIfTI-2 is not read; save it as NIfTI-1")
    if head[344:346] == b"ni":
        raise _stands_not_alone(url, NIFTI, "an .img file")
    order = "<" if struct.unpack_from("<i", head)[0] == 348 else ">"
    try:
        dims = struct.unpack_from(f"{order}8h", head, 40)
        (bits,) = struct.unpack_from(f"{order}h", head, 72)
        offset = int(struct.unpack_from(f"{order}f", head, 108)[0])
    except (struct.error, ValueError, OverflowError) as error:
        raise truncated(url, NIFTI) from error
    rank = dims[0]
    if not 1 <= rank <= 7 or any(extent < 1 for extent in dims[1 : rank + 1]) or bits < 1:
        raise InputUnavailable(f"input {url}: the NIfTI header is corrupted")
    if any(extent > 1 for extent in dims[4 : min(rank, 4) + 1]):
        shape = "x".join(map(str, dims[1 : rank + 1]))
        raise InputUnavailable(
            f"input {url}: a {rank}-D image ({shape}, x y z t); only 2-D and 3-D images are read:"
            " save one volume of it"
        )
    voxels = 1
    for extent in dims[1 : rank + 1]:
        voxels *= extent
    if size < offset + voxels * bits // 8:
        raise truncated(url, NIFTI)
