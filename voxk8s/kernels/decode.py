"""Files to values: images by ITK, documents by JSON."""

from __future__ import annotations

import gzip
import locale
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.kernels.sniff import (
    HEAD_BYTES,
    JSON,
    NIFTI,
    PNG,
    Format,
    check_whole,
    is_gzip,
    sniff,
    truncated,
)

if TYPE_CHECKING:
    from voxk8s.values import Value

_PNG_BITS: Final = 24  # places of the depth and of the colour type in a PNG
_PNG_KIND: Final = 25
_GREY_WITH_ALPHA: Final = 4


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
    check_whole(url, found, path, beside and beside[0])
    if found is PNG and head[_PNG_KIND] == _GREY_WITH_ALPHA:
        return _grey_with_alpha(url, path, head[_PNG_BITS])
    if beside is not None:
        os.symlink(os.path.abspath(beside[1]), os.path.join(scratch, beside[0]))
    return _image(url, found, path, scratch)


def decode_series(url: str, paths: list[str]) -> Value:
    """Decode the files of one DICOM series into a volume, ordered by their positions.

    Files that are no DICOM are left out. Raises InputUnavailable if there is no series, more than
    one, or one that cannot be decoded.
    """
    from voxk8s.kernels.itk import from_itk, reason_of, sitk

    slices = [path for path in paths if _head(path)[128:132] == b"DICM"]
    if not slices:
        raise InputUnavailable(f"input {url}: the folder has no DICOM files")
    try:
        with _same_locale():
            ordered = _in_order(url, slices)
            reader = sitk.ImageSeriesReader()
            reader.SetImageIO("GDCMImageIO")
            reader.SetFileNames(ordered)
            return from_itk(reader.Execute())
    except (RuntimeError, KernelError) as error:
        raise InputUnavailable(
            f"input {url}: the DICOM series cannot be read: {reason_of(error)}"
        ) from error


@contextmanager
def _same_locale() -> Iterator[None]:
    """Keep the locale of the process: GDCM leaves "C" behind, where Python's text is ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def _in_order(url: str, paths: list[str]) -> list[str]:
    from voxk8s.kernels.itk import sitk

    placed: list[tuple[float, str]] = []
    series: set[str] = set()
    for path in paths:
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(path)
        reader.ReadImageInformation()
        if reader.HasMetaDataKey("0020|000e"):
            series.add(reader.GetMetaData("0020|000e").strip())
        origin, axes = reader.GetOrigin(), reader.GetDirection()
        # Distance along the normal of the slices, the third column of the direction.
        placed.append((sum(origin[i] * axes[3 * i + 2] for i in range(3)), path))
    if len(series) > 1:
        raise InputUnavailable(
            f"input {url}: the folder has {len(series)} DICOM series; put each in its own folder"
        )
    return [path for _, path in sorted(placed)]


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEAD_BYTES)


def _decompressed(url: str, path: str, scratch: str) -> str:
    target = os.path.join(scratch, "decompressed")
    try:
        with gzip.open(path, "rb") as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink, 1024 * 1024)
    except EOFError as error:
        raise InputUnavailable(f"input {url}: the gzip file is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputUnavailable(f"input {url}: the gzip file is corrupted: {error}") from error
    return target


def _document(url: str, path: str) -> Value:
    try:
        with open(path, "rb") as file:
            value: Value = msgspec.json.decode(file.read())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputUnavailable(f"input {url}: not a JSON document: {error}") from error
    return value


def _grey_with_alpha(url: str, path: str, bits: int) -> Value:
    """Read a PNG of two channels, for which ITK's reader has no type."""
    import numpy as np
    from PIL import Image as Pillow

    from voxk8s.values import Image

    if bits != 8:  # Pillow would cut the lower half off
        raise InputUnavailable(
            f"input {url}: a PNG of grey with alpha in {bits} bits is not read; save it in 8"
        )
    try:
        with Pillow.open(path, formats=["PNG"]) as picture:
            array = np.array(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise InputUnavailable(
            f"input {url}: the PNG file cannot be read; it may be corrupted or truncated: {error}"
        ) from error
    return Image(array, (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0), 2)


def _image(url: str, found: Format, path: str, scratch: str) -> Value:
    from voxk8s.kernels.itk import from_itk, reason_of, sitk

    # ITK reads NIfTI only under its own suffix; a link costs no copy.
    name = os.path.join(scratch, f"voxk8s-image{found.suffix}")
    os.symlink(os.path.abspath(path), name)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(found.reader)
    reader.SetFileName(name)
    try:
        return from_itk(reader.Execute())
    except KernelError as error:
        raise InputUnavailable(f"input {url}: {error}") from error
    except RuntimeError as error:
        if found is not NIFTI and re.search("not read completely|Reason: Success", str(error)):
            raise truncated(url, found) from error
        raise InputUnavailable(
            f"input {url}: the {found.name} file cannot be read; it may be corrupted or truncated:"
            f" {reason_of(error).replace(name, 'the file')}"
        ) from error
