"""Calls of SimpleITK's functions: overload by arguments, one thread, results as values.

`getattr` of this module creates the kernel of any function in the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

import SimpleITK as sitk

from voxk8s.errors import KernelError
from voxk8s.formats.itk import check_memory, from_itk
from voxk8s.kernels.images import GEOMETRY_TOLERANCE
from voxk8s.kernels.kernel_spec import KernelFunction
from voxk8s.kernels.simpleitk.conversions import Mismatch, convert
from voxk8s.kernels.simpleitk.function_table import Overload, load_functions
from voxk8s.values import Image, Value

# Images of one geometry for the other kernels are of one geometry for ITK.
sitk.ProcessObject.SetGlobalDefaultCoordinateTolerance(GEOMETRY_TOLERANCE)
sitk.ProcessObject.SetGlobalDefaultDirectionTolerance(GEOMETRY_TOLERANCE)

_table = cache(load_functions)
_WRONG_TYPE: Final = re.compile(r"argument (\d+) of type '(?:std::vector< )?([\w: ]*\w)")
_LABEL_MAPS: Final = frozenset(
    {sitk.sitkLabelUInt8, sitk.sitkLabelUInt16, sitk.sitkLabelUInt32, sitk.sitkLabelUInt64}
)
_NOISE: Final = re.compile(
    r"Exception thrown in SimpleITK \w+:|\S+\.(?:hxx|cxx|h):\d+:"  # positions in ITK's source
    r"|(?:sitk::|ITK )ERROR:|\s*\(0x[0-9a-f]+\)|\s*\b(?:by ?)?N\d+itk\w*E\b"  # addresses, symbols
)
_LONGEST_MESSAGE: Final = 500


def __getattr__(name: str) -> KernelFunction:
    overloads = _table().get(name)
    if overloads is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def call(*arguments: Value) -> Value:
        return _dispatch(name, overloads, arguments)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Call SimpleITK's {name}: {' or '.join(map(str, overloads))}."
    return call


def call_itk(kernel: str, function: Callable[[], object]) -> Value:
    """Call a function of SimpleITK and return its result as a value.

    Raises MemoryError, and KernelError for other exceptions of ITK and for results without voxels.
    N4 and the noise filters return other bits on other numbers of threads, so each call sets it to
    one, whatever the environment or other code in this process has set.
    """
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        return _as_value(function())
    except KernelError as error:
        raise KernelError(f"{kernel}: {error}") from error
    except (RuntimeError, ValueError, NotImplementedError) as error:
        check_memory(error)
        raise KernelError(f"{kernel}: {_message(error)}") from error


def call_itk_image(kernel: str, function: Callable[[], sitk.Image]) -> Image:
    """Call a function of SimpleITK that returns an image, as `call_itk` does."""
    image = call_itk(kernel, function)
    assert isinstance(image, Image)  # noqa: S101 the caller's function returns one
    return image


def _dispatch(name: str, overloads: tuple[Overload, ...], arguments: tuple[Value, ...]) -> Value:
    kernel = f"simpleitk.{name}"
    images = [argument for argument in arguments if isinstance(argument, Image)]
    size = images[0].size if images else ()
    mismatches: list[str] = []
    for overload in overloads:
        if not overload.minimum <= len(arguments) <= overload.maximum:
            continue
        pairs = zip(overload.parameters, arguments, strict=False)
        try:
            converted = [convert(parameter, value, size) for parameter, value in pairs]
        except Mismatch as error:
            mismatches.append(str(error))
            continue
        return _call(kernel, overload, converted)
    expected = " or ".join(map(str, overloads))
    raise KernelError("; ".join([f"{kernel}: expected {expected}", *mismatches]))


def _call(kernel: str, overload: Overload, arguments: list[object]) -> Value:
    function = getattr(sitk, kernel.rpartition(".")[2])
    names = [parameter.name for parameter in overload.parameters]
    try:
        if overload.named:
            named = dict(zip(names, arguments, strict=False))
            return call_itk(kernel, lambda: function(**named))
        return call_itk(kernel, lambda: function(*arguments))
    except (TypeError, OverflowError) as error:
        # The table does not have the ranges of the C++ types; the call checks them.
        wrong_type = _WRONG_TYPE.search(str(error))
        if wrong_type is None:
            given = ", ".join(
                f"{name} {value}"
                for name, value in zip(names, arguments, strict=False)
                if isinstance(value, int | float | str)
            )
            raise KernelError(f"{kernel}: a number is out of range among {given}") from error
        place = int(wrong_type[1]) - 1
        raise KernelError(
            f"{kernel}: expected {wrong_type[2]} for {names[place]}, got {arguments[place]}"
        ) from error


def _as_value(result: object) -> Value:
    if isinstance(result, sitk.Image):
        return _as_image(result)
    if isinstance(result, tuple | list):
        return [_as_value(item) for item in result]
    if isinstance(result, bool | int | float | str):
        return result
    raise KernelError(f"the result is a {type(result).__name__}, which is not supported as a value")


def _as_image(result: sitk.Image) -> Image:
    if result.GetPixelID() in _LABEL_MAPS:
        # Reading the voxels of a label map aborts the process.
        result = sitk.LabelMapToLabel(result)
    if not all(result.GetSize()):
        raise KernelError("the result is an image without voxels")
    return from_itk(result)


def _message(error: Exception) -> str:
    """Return the message of an ITK error in one line, without source positions and addresses."""
    text = " ".join(_NOISE.sub("", str(error)).split())
    return text[:_LONGEST_MESSAGE] or type(error).__name__
