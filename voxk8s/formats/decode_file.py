"""Files to values: images by ITK, documents by JSON.

What a file's voxels and geometry are is what ITK reads, but for what ITK is known to read wrongly,
which is read otherwise (`pictures`) or refused. ITK forgives much; here a file must be whole and
stand alone.

| format | as it is read |
|---|---|
| NIfTI | scaled by slope and intercept; qform before sform where they differ; NaN becomes 0 |
| PNG, JPEG | palettes as colours; bits below 8 stretched to 0…255; JPEG's CMYK as RGB |
| JPEG | as its voxels are kept: the orientation in its EXIF turns nothing |
| TIFF | pages of one kind are the z axis; turned as the tag of orientation says |
| DICOM | rescaled by slope and intercept; a folder is one series |
"""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.formats.dicom.series import (
    check_complete,
    check_jpeg_frames,
    decode_series,
    parse_file_meta,
    preserve_locale,
)
from voxk8s.formats.jpeg import capture_libjpeg_errors
from voxk8s.formats.metaimage import normalize_metaimage
from voxk8s.formats.nifti import check_nifti
from voxk8s.formats.nrrd import check_nrrd
from voxk8s.formats.png import check_bmp, check_png
from voxk8s.formats.sniff import (
    BMP,
    DICOM,
    HEAD_BYTES,
    JPEG,
    JSON,
    META,
    NIFTI,
    NRRD,
    PNG,
    TIFF,
    Format,
    is_gzip,
    sniff,
)
from voxk8s.formats.tiff import read_pages

if TYPE_CHECKING:
    from voxk8s.values import Value

__all__ = ["decode_file", "decode_series"]

_PNG_KIND: Final = slice(25, 26)  # the place of the colour type
_PNG_GREYS: Final = (b"\0", b"\4")
_STREAMS: Final = (1, 2)
_CHUNK: Final = 1024 * 1024


def decode_file(url: str, path: str, scratch: str, beside: tuple[str, str] | None = None) -> Value:
    """Decode the file at `path`, whatever its name; raises InputUnavailable naming `url`.

    A file compressed by gzip is decompressed first, which checks it: ITK would not. `scratch` is a
    folder that the caller removes. `beside` is the name and the path of the file that a header
    keeps its voxels in.
    """
    head = _head(path)
    if is_gzip(head):
        path = _decompressed(url, path, scratch)
        head = _head(path)
    found = sniff(url, head)
    if found is JSON:
        return _document(url, path)
    if found in (TIFF, PNG, JPEG):
        picture = _picture(url, found, path, head)
        if picture is not None:
            return picture
    return _image(url, found, _prepared(url, found, path, scratch, beside), head)


def _prepared(
    url: str, found: Format, path: str, scratch: str, beside: tuple[str, str] | None
) -> str:
    """Check a file as far as ITK does not, and give it a name by which ITK reads it."""
    if found is META:
        return normalize_metaimage(url, path, beside, scratch)
    suffix = found.suffix
    if found is NIFTI:
        check_nifti(url, path, beside)
        if beside is not None:
            suffix = ".hdr"
            os.symlink(os.path.abspath(beside[1]), os.path.join(scratch, "voxk8s-image.img"))
    elif found is NRRD:
        check_nrrd(url, path, beside)
        if beside is not None:
            os.symlink(os.path.abspath(beside[1]), os.path.join(scratch, beside[0]))
    elif found is BMP:
        check_bmp(url, path)
    elif found is DICOM:
        check_complete(url, path, parse_file_meta(_head(path)))
    # ITK reads some formats only under their own suffix; a link costs no copy.
    name = os.path.join(scratch, f"voxk8s-image{suffix}")
    os.symlink(os.path.abspath(path), name)
    return name


def _picture(url: str, found: Format, path: str, head: bytes) -> Value | None:
    """Read a picture that ITK has no type for or reads wrongly; None if ITK can."""
    from voxk8s.formats.pillow import check_jpeg, needs_pillow, read_grey_png, read_tiff

    if found is JPEG:
        check_jpeg(url, path)
        return None
    if found is PNG:
        check_png(url, path)
        return read_grey_png(url, path) if head[_PNG_KIND] in _PNG_GREYS else None
    try:
        pages = read_pages(path)
    except ValueError as error:
        raise InputUnavailable(f"input {url}: the TIFF file is {error}") from error
    return read_tiff(url, path, pages) if any(map(needs_pillow, pages)) else None


def _image(url: str, found: Format, name: str, head: bytes) -> Value:
    from voxk8s.formats.itk import error_message, from_itk, sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO(found.reader)
    reader.SetFileName(name)
    complaints: list[str] = []
    try:
        if found is JPEG:
            with capture_libjpeg_errors(*_STREAMS) as complaints:
                image = reader.Execute()
        elif found is DICOM:
            with preserve_locale, check_jpeg_frames(url, parse_file_meta(head)):
                image = reader.Execute()
        else:
            image = reader.Execute()
        if not complaints:
            return from_itk(image)
    except KernelError as error:
        raise InputUnavailable(f"input {url}: {error}") from error
    except RuntimeError as error:
        reason = error_message(error).replace(name, "the file")
        if "orthonormal" in reason:
            raise InputUnavailable(
                f"input {url}: the axes of the image are not at right angles (its {found.name}"
                " header is sheared or corrupted); resample it to a grid that is"
            ) from error
        if "maximum supported IO dimension" in reason:
            raise InputUnavailable(
                f"input {url}: the {found.name} file has too few or too many axes; only 2-D and 3-D"
                " images are read"
            ) from error
        raise InputUnavailable(
            f"input {url}: the {found.name} file cannot be read; it may be corrupted or truncated:"
            f" {complaints[0] if complaints else reason}"
        ) from error
    truncated = complaints[0].startswith("Premature end")
    raise InputUnavailable(
        f"input {url}: the JPEG file is"
        f" {'truncated' if truncated else f'corrupted: {complaints[0]}'}"
    )


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEAD_BYTES)


def _decompressed(url: str, path: str, scratch: str) -> str:
    target = os.path.join(scratch, "decompressed")
    try:
        with gzip.open(path, "rb") as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink, _CHUNK)
    except EOFError as error:
        raise InputUnavailable(f"input {url}: the gzip file is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputUnavailable(
            f"input {url}: the gzip file is corrupted, or something follows its end: {error}"
        ) from error
    return target


def _document(url: str, path: str) -> Value:
    try:
        with open(path, "rb") as file:
            value: Value = msgspec.json.decode(file.read())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputUnavailable(f"input {url}: not a JSON document: {error}") from error
    return value
