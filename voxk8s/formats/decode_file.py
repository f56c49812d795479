"""Files to values: images are read by ITK, documents are JSON.

Voxels and geometry are those that ITK reads. What ITK is known to read wrongly is read otherwise or
refused. ITK accepts many damaged files; here a file must be complete and self-contained.

| format | how it is read |
|---|---|
| NIfTI | scaled by slope and intercept; qform before sform where they differ; NaN becomes 0 |
| PNG, JPEG | palettes as colours; fewer than 8 bits scaled to 0…255; CMYK in JPEG as RGB |
| JPEG | as stored: the orientation in its EXIF is ignored |
| TIFF | pages of one kind are the z axis; rotated as the orientation tag says |
| DICOM | rescaled by slope and intercept; a folder is one series |
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.formats import sniff
from voxk8s.formats.bmp import check_bmp
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.dicom.gdcm import check_complete, check_jpeg_frames, preserve_locale
from voxk8s.formats.inflate import inflate
from voxk8s.formats.jpeg import capture_libjpeg_errors, check_jpeg_size
from voxk8s.formats.metaimage import normalize_metaimage
from voxk8s.formats.nifti import check_nifti, nifti_bytes
from voxk8s.formats.nrrd import check_nrrd
from voxk8s.formats.png import check_png, read_grey_png
from voxk8s.formats.tiff import read_tiff

if TYPE_CHECKING:
    from voxk8s.values import Image

_STREAMS: Final = (1, 2)
_PADDING: Final = 1024 * 1024
"""Bytes that may follow the voxels of a NIfTI file."""


def decode_file(
    url: str,
    path: str,
    scratch: str,
    data_file: tuple[str, str] | None,
    allow: Allow,
) -> Image | bytes:
    """Decode the file at `path`, whatever its name; raises InputUnavailable with `url`.

    Returns an image, or the text of a JSON document. `allow` is asked before memory is taken.

    A gzip file is decompressed first, which checks it: ITK would not. `scratch` is a folder that
    the caller removes. `data_file` is the name and the path of the data file of a detached header.
    """
    head = sniff.read_head(path)
    if sniff.is_gzip(head):
        path = _decompressed(url, path, scratch, allow)
        head = sniff.read_head(path)
    found = sniff.sniff(url, head)
    if found is sniff.JSON:
        with open(path, "rb") as file:
            return file.read()
    if found is sniff.TIFF and (image := read_tiff(url, path, allow)) is not None:
        return image
    if found is sniff.PNG:
        check_png(url, path)
        if (image := read_grey_png(url, path, head, allow)) is not None:
            return image
    name = _prepare(url, found, path, head, scratch, data_file, allow)
    return _read_with_itk(url, found, name, head, allow)


def _prepare(
    url: str,
    found: sniff.Format,
    path: str,
    head: bytes,
    scratch: str,
    data_file: tuple[str, str] | None,
    allow: Allow,
) -> str:
    """Check what ITK does not check, and return a path from which ITK reads the file."""
    if found is sniff.META:
        return normalize_metaimage(url, path, data_file, scratch, allow)
    suffix = found.suffix
    if found is sniff.NIFTI:
        check_nifti(url, path, data_file)
        if data_file is not None:
            suffix = ".hdr"
            os.symlink(os.path.abspath(data_file[1]), os.path.join(scratch, "voxk8s-image.img"))
    elif found is sniff.NRRD:
        check_nrrd(url, path, data_file, allow)
        if data_file is not None:
            os.symlink(os.path.abspath(data_file[1]), os.path.join(scratch, data_file[0]))
    elif found is sniff.JPEG:
        check_jpeg_size(url, path)
    elif found is sniff.BMP:
        check_bmp(url, path)
    elif found is sniff.DICOM:
        check_complete(url, path, head)
    # ITK reads some formats only with their own suffix; a symlink needs no copy.
    name = os.path.join(scratch, f"voxk8s-image{suffix}")
    os.symlink(os.path.abspath(path), name)
    return name


def _read_with_itk(url: str, found: sniff.Format, name: str, head: bytes, allow: Allow) -> Image:
    from voxk8s.formats.itk import error_message, from_itk, image_bytes, sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO(found.reader)
    reader.SetFileName(name)
    libjpeg_errors: list[str] = []

    def read() -> sitk.Image:
        reader.ReadImageInformation()
        allow(image_bytes(reader))
        return reader.Execute()

    try:
        if found is sniff.JPEG:
            with capture_libjpeg_errors(*_STREAMS) as libjpeg_errors:
                image = read()
        elif found is sniff.DICOM:
            with preserve_locale, check_jpeg_frames(url, head):
                image = read()
        else:
            image = read()
        if not libjpeg_errors:
            return from_itk(image)
    except KernelError as error:
        raise InputUnavailable(f"input {url}: {error}") from error
    except RuntimeError as error:
        reason = error_message(error).replace(name, "the file")
        if "orthonormal" in reason:
            raise InputUnavailable(
                f"input {url}: the axes of the image are not at right angles (its {found.name}"
                " header is sheared or corrupted); resample it to an orthogonal grid"
            ) from error
        if "maximum supported IO dimension" in reason:
            raise InputUnavailable(
                f"input {url}: the {found.name} file has too few or too many axes; only 2-D and 3-D"
                " images are supported"
            ) from error
        raise InputUnavailable(
            f"input {url}: the {found.name} file cannot be read; it may be corrupted or truncated:"
            f" {libjpeg_errors[0] if libjpeg_errors else reason}"
        ) from error
    truncated = libjpeg_errors[0].startswith("Premature end")
    raise InputUnavailable(
        f"input {url}: the JPEG file is"
        f" {'truncated' if truncated else f'corrupted: {libjpeg_errors[0]}'}"
    )


def _decompressed(url: str, path: str, scratch: str, allow: Allow) -> str:
    """Decompress a file; one of an unknown format is refused after its first bytes."""
    target = os.path.join(scratch, "decompressed")
    head, most = b"", None
    written = 0
    with open(path, "rb") as source, open(target, "wb") as sink:
        for chunk in inflate(url, "gzip", source, allow):
            written += sink.write(chunk)
            if most is None and len(head) < sniff.HEAD_BYTES:
                head += chunk[: sniff.HEAD_BYTES]
                if len(head) >= sniff.HEAD_BYTES and sniff.sniff(url, head) is sniff.NIFTI:
                    most = nifti_bytes(head) + _PADDING
                    allow(most - _PADDING)
            if most is not None and written > most:
                raise InputUnavailable(
                    f"input {url}: it decompresses to more than the {most - _PADDING} bytes that"
                    " its NIfTI header says; it may be corrupted"
                )
    return target
