"""Conversions of values to arguments of SimpleITK, by the kinds of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

import numpy as np
import SimpleITK as sitk

from voxk8s.describe import describe
from voxk8s.formats.itk import check_memory, to_itk
from voxk8s.kernels.simpleitk.function_table import Parameter
from voxk8s.values import Image, Value

Size: TypeAlias = tuple[int, ...]

_Conversion: TypeAlias = Callable[[Parameter, Value, Size], object]
T = TypeVar("T")

_INTEGER_LIMIT: Final = 2**63
_RADII: Final = frozenset({"radius", "kernelRadius", "neighborhoodRadius", "dilationRadius"})
_FLAGS: Final = frozenset({"flipAxes", "whichDimensions"})
"""Vectors of truth values, for which SimpleITK takes no numbers."""


class Mismatch(Exception):
    """An argument cannot be converted for a parameter."""


def convert(parameter: Parameter, value: Value, size: Size) -> object:
    """Return the argument for a parameter of a function on an image of `size` (x first).

    A float without fraction is converted to an integer where the parameter is one, a number to a
    vector of equal numbers, the name of an enumerator to its value. Raises Mismatch, which names
    the parameter.
    """
    return _CONVERSIONS[parameter.kind](parameter, value, size)


def _image(parameter: Parameter, value: Value, _size: Size) -> object:
    if not isinstance(value, Image):
        raise _mismatch(parameter, value)
    if not value.array.size:  # ITK reads its first voxel all the same
        raise Mismatch(f"expected an image with voxels for {parameter.name}, got one without")
    if _is_bounded(parameter) and not (
        value.array.min() >= parameter.least and value.array.max() <= parameter.most
    ):
        raise Mismatch(
            f"expected the voxels of {parameter.name} to be within {parameter.least} and"
            f" {parameter.most}, got others or NaN"
        )
    if not parameter.blank and value.array.dtype.kind == "u" and not value.array.any():
        raise Mismatch(f"expected a voxel of {parameter.name} that is not 0")
    return _to_itk(parameter, value)


def _to_itk(parameter: Parameter, image: Image) -> sitk.Image:
    try:
        return to_itk(image)
    except RuntimeError as error:
        check_memory(error)
        raise Mismatch(
            f"expected {parameter.name} to have a geometry that ITK accepts, got spacing"
            f" {image.spacing} and direction {image.direction}"
        ) from None


def _images(parameter: Parameter, value: Value, size: Size) -> object:
    return [_image(parameter, item, size) for item in _items(parameter, value)]


def _label_map(parameter: Parameter, value: Value, _size: Size) -> object:
    if (
        isinstance(value, Image)
        and value.channels == 1
        and value.array.dtype.kind in "bu"
        and value.array.size
    ):
        return sitk.LabelImageToLabelMap(_to_itk(parameter, value))
    raise Mismatch(f"expected unsigned integer labels for {parameter.name}, got {describe(value)}")


def _label_maps(parameter: Parameter, value: Value, size: Size) -> object:
    return [_label_map(parameter, item, size) for item in _items(parameter, value)]


def _bool(parameter: Parameter, value: Value, _size: Size) -> object:
    if isinstance(value, bool | int | float):
        return bool(value)
    raise _mismatch(parameter, value)


def _string(parameter: Parameter, value: Value, _size: Size) -> object:
    if isinstance(value, str):
        return value
    raise _mismatch(parameter, value)


def _number(parameter: Parameter, value: Value, _size: Size) -> object:
    if isinstance(value, bool | int | float):
        try:
            return float(_bounded(parameter, value))
        except OverflowError:
            raise _mismatch(parameter, value) from None
    raise _mismatch(parameter, value)


def _integer(parameter: Parameter, value: Value, _size: Size) -> int:
    if (
        isinstance(value, bool | int | float)
        and abs(value) < _INTEGER_LIMIT
        and value == int(value)
    ):
        if parameter.name == "seed" and value == 0:
            raise Mismatch("expected a seed other than 0, which stands for the time of the clock")
        return int(_bounded(parameter, value))
    raise _mismatch(parameter, value)


def _bounded(parameter: Parameter, value: float) -> float:
    if _is_bounded(parameter) and not parameter.least <= value <= parameter.most:
        raise Mismatch(
            f"expected {parameter.name} to be within {parameter.least} and {parameter.most}, got"
            f" {describe(value)}"
        )
    return value


def _is_bounded(parameter: Parameter) -> bool:
    return math.isfinite(parameter.least) or math.isfinite(parameter.most)


def _all_within(numbers: Sequence[int], least: int, most: Sequence[int]) -> bool:
    return all(least <= number <= last for number, last in zip(numbers, most, strict=True))


def _numbers(parameter: Parameter, value: Value, size: Size) -> list[object]:
    return _vector(_number, parameter, value, size)


def _integers(parameter: Parameter, value: Value, size: Size) -> object:
    found = _vector(_integer, parameter, value, size)
    # The memory and time that ITK takes grow with the radius, not with what the image has of it.
    if parameter.name in _RADII and size and max(found, default=0) > max(size):
        raise Mismatch(
            f"expected {parameter.name} to be at most the longest side of the image,"
            f" {max(size)} voxels, got {found}"
        )
    return [bool(each) for each in found] if parameter.name in _FLAGS else found


def _extents(parameter: Parameter, value: Value, size: Size) -> object:
    extents = _vector(_integer, parameter, value, size)
    if len(extents) != len(size) or not _all_within(extents, 1, size):
        raise Mismatch(
            f"expected {parameter.name} to be within 1 and the size {list(size)}, got {extents}"
        )
    return extents


def _layout(parameter: Parameter, value: Value, size: Size) -> object:
    layout = _vector(_integer, parameter, value, size)
    if not all(count > 0 for count in layout[:-1]):
        raise Mismatch(f"expected {parameter.name} to be positive, save for a last 0, got {layout}")
    return layout


def _point(parameter: Parameter, value: Value, size: Size) -> list[int]:
    point = [_integer(parameter, place, size) for place in _items(parameter, value)]
    # ITK does not check points: it reads and writes out of bounds.
    if len(point) != len(size) or not _all_within(point, 0, [side - 1 for side in size]):
        raise Mismatch(
            f"expected {parameter.name} to be a voxel of the image of size {list(size)} (x first),"
            f" got {point}"
        )
    return point


def _points(parameter: Parameter, value: Value, size: Size) -> object:
    items = _items(parameter, value)
    single = bool(items) and not isinstance(items[0], list)
    return [_point(parameter, point, size) for point in ([items] if single else items)]


def _pairs(parameter: Parameter, value: Value, size: Size) -> object:
    pairs = _items(parameter, value)
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise Mismatch(f"expected a sequence of pairs of numbers for {parameter.name}")
    rows = [_numbers(parameter, pair, size) for pair in pairs]
    return {first: second for first, second in rows}  # noqa: C416 mypy does not accept dict(rows)


def _choice(parameter: Parameter, value: Value, _size: Size) -> object:
    choices = parameter.choices
    if isinstance(value, str) and value in choices:
        return choices[value]
    if isinstance(value, int | float) and value in choices.values():
        return int(value)
    raise Mismatch(
        f"expected {parameter.name} to be one of {', '.join(choices)}, got {describe(value)}"
    )


def _vector(
    convert: Callable[[Parameter, Value, Size], T],
    parameter: Parameter,
    value: Value,
    size: Size,
) -> list[T]:
    items = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(items, list):
        return [convert(parameter, item, size) for item in items]
    return [convert(parameter, items, size)] * (len(size) or 3)


def _items(parameter: Parameter, value: Value) -> list[Value]:
    items = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(items, list):
        raise _mismatch(parameter, value)
    return items


def _mismatch(parameter: Parameter, value: Value) -> Mismatch:
    return Mismatch(f"got {describe(value)} for {parameter.name}")


_CONVERSIONS: Final[Mapping[str, _Conversion]] = {
    "image": _image,
    "images": _images,
    "labels": _label_map,
    "labellings": _label_maps,
    "bool": _bool,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "numbers": _numbers,
    "integers": _integers,
    "extents": _extents,
    "layout": _layout,
    "point": _point,
    "points": _points,
    "pairs": _pairs,
    "enum": _choice,
}
