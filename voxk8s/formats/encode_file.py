"""Values to files, for `save` goals. Equal values give equal bytes.

| suffix | what is written |
|---|---|
| `.nii` `.nii.gz` `.mha` `.mhd` `.nrrd` | the image with its geometry and voxel type |
| `.png` `.jpg` `.jpeg` `.tif` `.tiff` | a 2-D image, or the middle axial slice, in 8 bits |
| `.csv` `.tsv` | a table: rows, with the names of the columns in the first one |
| `.json` | the value as JSON, indented by 2; images in it by their description |
| any other | the value as text, as `print` shows it; images only with `.txt` or no suffix |

The middle axial slice is the one with index n // 2 of n, from the feet. It lies as radiologists
look at it (anterior on top, the patient's right on the left), whatever the order of the axes in
memory, and has square pixels. A volume of one slice shows that one.

8 bits: a uint8 image with only 0 and 1 is a mask and becomes 0 and 255; other uint8 images are
kept. Values of other types are rounded half to even if all are in 0 to 255 and some exceed 1; else
the range of the slice is scaled to 0 to 255 (a single value: 0), with NaN as 0 and infinities as
the ends. JPEG has quality 95 and no alpha.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from voxk8s.constants import IMAGE_MEDIA_TYPES, PICTURE_SUFFIXES, TABLE_MEDIA_TYPES
from voxk8s.describe import as_json, as_text, describe
from voxk8s.errors import KernelError
from voxk8s.formats.table import encode_table
from voxk8s.values import Array, Image, MaskArray, SavedFile, Value

if TYPE_CHECKING:
    from voxk8s.rendering import Section

TEXT_MEDIA_TYPE: Final = "text/plain; charset=utf-8"
_CHANNELS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {".png": (1, 2, 3, 4), ".jpg": (1, 3, 4), ".jpeg": (1, 3, 4)}
)
_NIFTI_EXTENT: Final = 32767
_RIGHT_ANGLE: Final = 1e-4
_TEXTS: Final = frozenset({"", ".txt"})
_CHUNK: Final = 1024 * 1024
_GZIP_LEVEL: Final = 4  # half the time of 6 for a few percent of size


def encode_file(value: Value, suffix: str) -> SavedFile:
    """Encode a value in the format of `suffix` (with its dot); raises KernelError if impossible."""
    suffix = suffix.lower()
    if isinstance(value, SavedFile):
        return value
    if suffix == ".json":
        text = json.dumps(as_json(value, whole_arrays=True), ensure_ascii=False, indent=2)
        return SavedFile((text + "\n").encode(), suffix, "application/json")
    if suffix in TABLE_MEDIA_TYPES:
        return SavedFile(encode_table(value, suffix), suffix, TABLE_MEDIA_TYPES[suffix])
    if suffix not in IMAGE_MEDIA_TYPES:
        if isinstance(value, Image) and suffix not in _TEXTS:
            # A misspelled suffix is more likely than the intention to save a line of text.
            known = ", ".join(IMAGE_MEDIA_TYPES)
            raise KernelError(
                f"save: {describe(value)} cannot be saved as {suffix}; use one of {known}"
            )
        return SavedFile((as_text(value) + "\n").encode(), suffix, TEXT_MEDIA_TYPE)
    if not isinstance(value, Image):
        raise KernelError(f"save: {describe(value)} cannot be saved as {suffix}: not an image")
    reason = _unsupported_reason(value, suffix)
    if reason is not None:
        raise KernelError(f"save: {describe(value)} cannot be saved as {suffix}: {reason}")
    data = _picture(value, suffix) if suffix in PICTURE_SUFFIXES else _volume(value, suffix)
    return SavedFile(data, suffix, IMAGE_MEDIA_TYPES[suffix])


def prepare_encoder(suffix: str) -> None:
    """Import the library that `encode_file` needs for a suffix, so that it need not wait for it."""
    if suffix.lower() in IMAGE_MEDIA_TYPES:
        from voxk8s.formats import itk  # noqa: F401


def _unsupported_reason(image: Image, suffix: str) -> str | None:
    """Return why a format cannot store an image, and which format can; None if it can.

    ITK would write other voxels or axes, or files that cannot be read.
    """
    if not all(image.size):
        return "it has no voxels"
    if suffix in PICTURE_SUFFIXES:
        supported = _CHANNELS.get(suffix, (1, 3, 4))
        if image.channels not in supported:
            return (
                f"it has {image.channels} channels, such files {' or '.join(map(str, supported))};"
                " use .nii.gz, .mha or .nrrd"
            )
    elif suffix in (".nii", ".nii.gz"):
        if max(image.size) > _NIFTI_EXTENT:
            return f"an axis has more than {_NIFTI_EXTENT} voxels; use .mha or .nrrd"
        rank = image.dimension
        axes = np.array(image.direction).reshape(rank, rank)
        if not np.allclose(axes.T @ axes, np.eye(rank), atol=_RIGHT_ANGLE):
            return "its axes are not at right angles; use .mha or .nrrd"
    return None


def _volume(image: Image, suffix: str) -> bytes:
    if suffix == ".nii.gz":
        return _written(image, image.array, ".nii", packed=True)
    # An .mhd with its own voxels has the format of .mha, and is one file instead of two.
    return _written(image, image.array, ".mha" if suffix == ".mhd" else suffix)


def _picture(image: Image, suffix: str) -> bytes:
    # Imported here: most runs draw no pictures.
    from voxk8s.rendering import Section

    if image.dimension == 3:
        shown = _middle(image)
    else:
        shown = Section(to_uint8(image.array), (image.spacing[0], image.spacing[1]))
    array, channels = shown.pixels, image.channels
    if channels == 4 and suffix in (".jpg", ".jpeg"):
        array, channels = array[..., :3], 3
    array = np.ascontiguousarray(array)
    flat = Image(array, shown.spacing, (0.0, 0.0), (1.0, 0.0, 0.0, 1.0), channels)
    return _written(flat, array, ".jpg" if suffix == ".jpeg" else suffix)


def _middle(volume: Image) -> Section:
    """Return the middle axial slice of a volume in 8 bits, or its only slice."""
    from voxk8s.rendering import cut, main_plane, square_pixels, to_radiological

    volume = to_radiological(volume)
    plane = main_plane(volume)
    section = cut(volume, plane, volume.array.shape[plane.axis] // 2)
    # A mask stays black and white.
    smooth = len(np.unique(section.pixels)) > 2
    return square_pixels(replace(section, pixels=to_uint8(section.pixels)), smooth=smooth)


def to_uint8(array: Array) -> MaskArray:
    """Convert voxels to 8 bits by the rules in the docstring of this module."""
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array, np.uint8) * np.uint8(255)
    if array.dtype == np.uint8:
        kept: MaskArray = np.ascontiguousarray(array, np.uint8)
        return kept * np.uint8(255) if kept.size and kept.max() <= 1 else kept
    values = np.ascontiguousarray(array, np.float64)
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    if not (low >= 0 and 1 < high <= 255):
        scale = 255.0 / (high - low) if high > low else 0.0
        values = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * scale
    else:
        values = np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0)
    rounded: MaskArray = np.rint(values).astype(np.uint8)
    return rounded


def _written(image: Image, array: Array, suffix: str, *, packed: bool = False) -> bytes:
    from voxk8s.formats.itk import check_memory, error_message, sitk, to_itk

    with tempfile.TemporaryDirectory(prefix="voxk8s-save-") as folder:
        path = os.path.join(folder, f"image{suffix}")
        writer = sitk.ImageFileWriter()
        writer.SetFileName(path)
        writer.SetUseCompression(suffix in (".nrrd", ".png", ".tif", ".tiff"))
        writer.SetCompressionLevel(95 if suffix == ".jpg" else _GZIP_LEVEL)
        try:
            writer.Execute(to_itk(image, array))
        except RuntimeError as error:
            check_memory(error)
            raise KernelError(
                f"save: {describe(image)} cannot be saved as {suffix}: {error_message(error)}"
            ) from error
        with open(path, "rb") as file:
            return _gzipped(file) if packed else file.read()


def _gzipped(file: IO[bytes]) -> bytes:
    """Compress as gzip without a name and a time, in chunks.

    The header that Python's gzip writes differs between its versions; zlib's does not.
    """
    stream = zlib.compressobj(_GZIP_LEVEL, wbits=31)
    parts = []
    while chunk := file.read(_CHUNK):
        parts.append(stream.compress(chunk))
    return b"".join([*parts, stream.flush()])
