"""One call into ITK: on one thread, with what it gives as values and its errors as one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import SimpleITK as sitk

from voxk8s.errors import KernelError
from voxk8s.formats.itk import from_itk
from voxk8s.kernels.images import GEOMETRY_TOLERANCE
from voxk8s.values import Image, Value

# What is one geometry to the other kernels must be one to ITK's.
sitk.ProcessObject.SetGlobalDefaultCoordinateTolerance(GEOMETRY_TOLERANCE)
sitk.ProcessObject.SetGlobalDefaultDirectionTolerance(GEOMETRY_TOLERANCE)

_LABEL_MAPS: Final = frozenset(
    {sitk.sitkLabelUInt8, sitk.sitkLabelUInt16, sitk.sitkLabelUInt32, sitk.sitkLabelUInt64}
)
_NOISE: Final = re.compile(
    r"Exception thrown in SimpleITK \w+:|\S+\.(?:hxx|cxx|h):\d+:"  # where in ITK's source
    r"|(?:sitk::|ITK )ERROR:|\s*\(0x[0-9a-f]+\)|\s*\b(?:by ?)?N\d+itk\w*E\b"  # addresses, symbols
)
_LONGEST: Final = 500


def run(kernel: str, make: Callable[[], object]) -> Value:
    """Call a function of ITK and give the value of its result; KernelError for what it throws.

    N4 and the noises give other bits on other numbers of threads, so it is one, whatever the
    environment or another user of the process has set.
    """
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        return _value(make())
    except KernelError as error:
        raise KernelError(f"{kernel}: {error}") from error
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise KernelError(f"{kernel}: {_reason(error)}") from error


def run_image(kernel: str, make: Callable[[], sitk.Image]) -> Image:
    """Call a function of ITK that gives an image."""
    made = run(kernel, make)
    assert isinstance(made, Image)  # noqa: S101 the caller's function gives one
    return made


def _value(result: object) -> Value:
    if isinstance(result, sitk.Image):
        return _image(result)
    if isinstance(result, tuple | list):
        return [_value(item) for item in result]
    if isinstance(result, bool | int | float | str):
        return result
    raise KernelError(f"gives a {type(result).__name__}, which is no value")


def _image(made: sitk.Image) -> Image:
    if made.GetPixelID() in _LABEL_MAPS:
        # To ask a label map for its voxels aborts the process.
        made = sitk.LabelMapToLabel(made)
    if not all(made.GetSize()):
        raise KernelError("gives an image without voxels")
    return from_itk(made)


def _reason(error: Exception) -> str:
    """Give what an error of ITK says in one line, without places in its source and addresses."""
    text = " ".join(_NOISE.sub("", str(error)).split())
    return text[:_LONGEST] or type(error).__name__
