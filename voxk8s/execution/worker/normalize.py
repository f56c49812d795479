"""The normal form of values: that of a value read from the store, for stored and other values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

import numpy as np

from voxk8s.errors import UnsupportedValue
from voxk8s.read_only import read_only
from voxk8s.storage.payload import MAX_DEPTH, TOO_DEEP, check_array, unsupported
from voxk8s.values import Array, Image, PackedMask, SavedFile, Value

_PLAIN = frozenset({bool, int, float, str, type(None)})
_COPIED = frozenset({list, dict, PackedMask})

T = TypeVar("T")


def normalize(value: object, depth: int = 0) -> Value:
    """Return a kernel's value in the form in which a store would return it.

    Tuples become lists, other mappings dicts, numpy scalars and instances of subclasses
    (enumerations) plain scalars, arrays C-contiguous. A kernel gets the same argument whether it
    was stored or not; even the memory order of an array changes the last digits of a sum. Arrays
    and their bases become read-only, like those from the store, since several operations may share
    them. A value in normal form is returned unchanged. Raises UnsupportedValue for other objects.
    """
    kind = type(value)
    if kind in _PLAIN:
        return cast("Value", value)
    if isinstance(value, Image):
        return _image(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        item = value.item()
        return cast("Value", item if type(item) in _PLAIN else _array(np.asarray(value)))
    if isinstance(value, list | tuple):
        _check_depth(depth)
        if kind is list and _PLAIN.issuperset(map(type, value)):
            return cast("Value", value)
        return [normalize(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        _check_depth(depth)
        return {_name(name): normalize(item, depth + 1) for name, item in value.items()}
    if isinstance(value, SavedFile) and depth == 0:
        return value
    return _scalar(value)


def copy_containers(value: T, depth: int = 0) -> T:
    """Return a copy of nested lists and mappings that shares their scalars and arrays.

    A kernel that sorts or extends its argument must not change the argument of another operation.
    Masks are of the class that those from the store have.
    Raises UnsupportedValue for a value that is nested too deep, or contains itself.
    """
    copy: object = value
    if isinstance(value, PackedMask):
        copy = value.unpacked()
    elif isinstance(value, list):
        _check_depth(depth)
        copy = [
            copy_containers(item, depth + 1) if type(item) in _COPIED else item for item in value
        ]
    elif isinstance(value, dict):
        _check_depth(depth)
        copy = {name: copy_containers(item, depth + 1) for name, item in value.items()}
    return cast("T", copy)


def _array(array: Array) -> Array:
    check_array(array)
    return read_only(np.asarray(array, order="C"))


def _image(image: Image) -> Image:
    geometry = (image.spacing, image.origin, image.direction)
    has_floats = all(_is_floats(numbers) for numbers in geometry)
    if isinstance(image, PackedMask) and has_floats:
        _check_geometry(image)
        return image  # Its array, when it is made, is as it has to be.
    array = _array(image.array)
    if not has_floats:
        geometry = (_floats(image.spacing), _floats(image.origin), _floats(image.direction))
    elif array is image.array:
        _check_geometry(image)
        return image
    normal = Image(array, *geometry, int(image.channels))
    _check_geometry(normal)
    return normal


def _check_geometry(image: Image) -> None:
    axes = len(image.shape) - (image.channels != 1)
    counts = len(image.spacing), len(image.origin), len(image.direction)
    if counts != (axes, axes, axes * axes):
        raise UnsupportedValue(
            f"expected an image with {axes}, {axes} and {axes * axes} numbers as the spacing,"
            " origin and direction of its axes, got {}, {} and {}".format(*counts)
        )
    if not all(0 < step < math.inf for step in image.spacing):
        raise UnsupportedValue(
            "expected an image with a spacing above 0 mm along each axis, got "
            + ", ".join(map(str, image.spacing))
        )


def _floats(numbers: Iterable[float]) -> tuple[float, ...]:
    try:
        return tuple(map(float, numbers))
    except (TypeError, ValueError):
        raise UnsupportedValue(
            f"expected numbers as the geometry of an image, got {numbers!r}"
        ) from None


def _is_floats(numbers: object) -> bool:
    return type(numbers) is tuple and all(type(x) is float for x in numbers)


def _scalar(value: object) -> Value:
    """Return an instance of a scalar's subclass as a plain scalar."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    raise unsupported(value)


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise UnsupportedValue(f"expected strings as the keys of a mapping, got {name!r}")
    return name if type(name) is str else str.__str__(name)


def _check_depth(depth: int) -> None:
    if depth == MAX_DEPTH:
        raise UnsupportedValue(TOO_DEEP)
