"""Conversion between SimpleITK's images and ours, and its errors and threads.

ITK uses one thread: operations run in parallel, and results must not depend on the number of
threads.
"""

from __future__ import annotations

import math
import os
import re
from typing import Final

import numpy as np
import SimpleITK as sitk

from voxk8s.errors import KernelError
from voxk8s.values import Array, Image

__all__ = ["check_memory", "error_message", "from_itk", "image_bytes", "sitk", "to_itk"]

if "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS" not in os.environ:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
sitk.ProcessObject.GlobalWarningDisplayOff()


_NO_MEMORY: Final = re.compile(r"allocate memory|bad_alloc|MemoryAllocationError")
_WIDTHS: Final = {"8": 1, "16": 2, "32": 4, "64": 8}


def image_bytes(reader: sitk.ImageFileReader) -> int:
    """Return the bytes of the image that a reader will make, after its header was read."""
    name = sitk.GetPixelIDValueAsString(reader.GetPixelIDValue())
    width = next((size for bits, size in _WIDTHS.items() if f"{bits}-bit" in name), 8)
    complex_ = 2 if "complex" in name else 1
    total: int = math.prod(reader.GetSize()) * reader.GetNumberOfComponents() * width * complex_
    return total


def from_itk(image: sitk.Image) -> Image:
    """Copy an ITK image of 2 or 3 axes; a fourth axis of extent 1 is dropped.

    Raises KernelError for more axes, complex voxels, and a geometry that is not finite.
    """
    size = image.GetSize()
    if len(size) == 4 and size[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() not in (2, 3):
        shape = "x".join(map(str, size))
        raise KernelError(
            f"a {len(size)}-D image ({shape}): only 2-D and 3-D images are supported;"
            " extract one of them"
        )
    if "complex" in image.GetPixelIDTypeAsString():
        raise KernelError(f"voxels of {image.GetPixelIDTypeAsString()} are not supported")
    spacing, origin = tuple(image.GetSpacing()), tuple(image.GetOrigin())
    direction = tuple(image.GetDirection())
    if not all(map(math.isfinite, (*spacing, *origin, *direction))):
        raise KernelError("spacing, origin or direction of the image are not finite numbers")
    array: Array = sitk.GetArrayFromImage(image)
    return Image(array, spacing, origin, direction, image.GetNumberOfComponentsPerPixel())


def to_itk(image: Image, array: Array | None = None) -> sitk.Image:
    """Copy an image to ITK; with `array`, use its voxels instead."""
    voxels = image.array if array is None else array
    if voxels.dtype == np.bool_:
        voxels = voxels.view(np.uint8)
    elif voxels.dtype == np.float16:
        voxels = voxels.astype(np.float32)
    if not voxels.dtype.isnative:
        voxels = voxels.astype(voxels.dtype.newbyteorder("="))
    converted = sitk.GetImageFromArray(voxels, isVector=image.channels != 1)
    converted.SetSpacing(image.spacing)
    converted.SetOrigin(image.origin)
    converted.SetDirection(image.direction)
    return converted


def check_memory(error: Exception) -> None:
    """Raise MemoryError for an error of ITK that is one; ITK makes RuntimeErrors of all.

    With more memory the call gives a value: it may be tried again, and that value is not wrong.
    """
    if _NO_MEMORY.search(str(error)):
        raise MemoryError(error_message(error)) from error


def error_message(error: Exception) -> str:
    """Return the last line of an ITK error that has words, without the addresses of objects."""
    text = re.sub(r"\(0x[0-9a-f]+\)", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    # A matrix at the end belongs to the sentence before it.
    last = max((n for n, line in enumerate(lines) if re.search("[a-z]{3}", line)), default=0)
    return re.sub(r"^(ITK|sitk::)\s?ERROR: ", "", " ".join(lines[last:]))
