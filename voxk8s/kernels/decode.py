"""Files to values: images by ITK, documents by JSON."""

from __future__ import annotations

import gzip
import locale
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.kernels.sniff import (
    HEAD_BYTES,
    JSON,
    NIFTI,
    Format,
    check_whole,
    is_gzip,
    sniff,
    truncated,
)

if TYPE_CHECKING:
    from voxk8s.values import Value


def decode_file(url: str, path: str, scratch: str) -> Value:
    """Decode the file at `path`, whatever its name; raises InputUnavailable naming `url`.

    A file compressed by gzip is decompressed first, which checks it: ITK would not. `scratch` is a
    folder that the caller removes.
    """
    head = _head(path)
    if is_gzip(head):
        path = _decompressed(url, path, scratch)
        head = _head(path)
    found = sniff(url, head)
    if found is JSON:
        return _document(url, path)
    check_whole(url, found, path)
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


def _image(url: str, found: Format, path: str, scratch: str) -> Value:
    from voxk8s.kernels.itk import from_itk, reason_of, sitk

    # ITK reads NIfTI only under its own suffix; a link costs no copy.
    name = os.path.join(scratch, f"image{found.suffix}")
    os.symlink(os.path.abspath(path), name)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(found.reader)
    reader.SetFileName(name)
    try:
        return from_itk(reader.Execute())
    except KernelError as error:
        raise InputUnavailable(f"input {url}: {error}") from error
    except RuntimeError as error:
        if found is not NIFTI and "not read completely" in str(error):
            raise truncated(url, found) from error
        raise InputUnavailable(
            f"input {url}: the {found.name} file cannot be read; it may be corrupted or truncated:"
            f" {reason_of(error).replace(name, 'the file')}"
        ) from error
