"""The format of a file from its first bytes; its name does not matter, unlike in ITK."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.nifti import is_nifti


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the suffix that ITK expects in a file name, and the name of ITK's reader."""

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

READABLE: Final = "NIfTI, MetaImage (.mha), NRRD, PNG, JPEG, TIFF, BMP, DICOM, JSON or CSV"
HEAD_BYTES: Final = 4096
"""Bytes from the beginning of a file that tell its format, and DICOM's file meta information."""
_TIFF_MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_head(path: str) -> bytes:
    """Return the first bytes of a file, at most HEAD_BYTES."""
    with open(path, "rb") as file:
        return file.read(HEAD_BYTES)


def is_gzip(head: bytes) -> bool:
    """Whether a file that begins with `head` is compressed by gzip."""
    return head[:2] == b"\x1f\x8b"


def is_binary(head: bytes) -> bool:
    """Whether a file that begins with `head` is compressed, or in a format with a signature."""
    return is_gzip(head) or _by_magic(head) is not None


def sniff(url: str, head: bytes) -> Format:
    """Return the format of a file that begins with `head`; raises InputUnavailable if unknown."""
    if not head:
        raise InputUnavailable(f"input {url}: the file is empty")
    found = _by_magic(head)
    if found is not None:
        return found
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return JSON
    if re.match(rb"\s*(Comment|ObjectType|NDims)\s*[=:]", head):
        return META
    hint = (
        ": load the .hdr file of a NIfTI pair instead of its .img file"
        if url.lower().endswith(".img")
        else f" ({READABLE})"
    )
    raise InputUnavailable(f"input {url}: not an image or document in a supported format{hint}")


def _by_magic(head: bytes) -> Format | None:
    if is_nifti(head):
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
