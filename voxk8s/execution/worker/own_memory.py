"""Gives the values of users' kernels memory of their own.

A kernel may return an array that it writes to again in its next call (a buffer of its module, a
view of a `bytearray`, what a cache holds), or a small part of a large one. The first would change a
result that others use or that is about to be stored; the second would keep the large one alive.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np

from voxk8s.errors import UnsupportedValue
from voxk8s.storage.payload import MAX_DEPTH, TOO_DEEP
from voxk8s.values import Array, Image

_PLAIN: Final = frozenset({bool, int, float, str, type(None)})
_ALONE: Final = 2
"""The references to an object that only its container has, while they are counted."""
_KEPT_PART: Final = 0.5
"""A view that has a smaller part of its array is copied."""

_Slots: TypeAlias = "list[object] | dict[object, object]"


def own_memory(result: list[object], arguments: Iterable[object]) -> object:
    """Return the only item of `result`, a kernel's value, with arrays that nobody else writes to.

    The list must have the only reference to the value, as in `own_memory([function()], …)`. Arrays
    of `arguments` may be returned, since nobody writes to them. All others that something else
    refers to are copied, and so are lists and mappings. Raises UnsupportedValue for a value that is
    nested too deep, or contains itself.
    """
    if type(result[0]) in _PLAIN:
        return result[0]
    return _owned(result, 0, set(map(id, _roots(arguments))), shared=False, depth=0)


def _owned(slots: _Slots, place: object, given: set[int], *, shared: bool, depth: int) -> object:
    shared = shared or sys.getrefcount(slots[place]) > _ALONE  # type: ignore[call-overload]  # of its kind
    value = slots[place]  # type: ignore[call-overload]  # the same
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.ndarray):
        return _array(value, given, shared=shared)
    if isinstance(value, Image) and isinstance(value.array, np.ndarray):
        shared = shared or sys.getrefcount(value.array) > _ALONE
        array = _array(value.array, given, shared=shared)
        return value if array is value.array else replace(value, array=array)
    items: _Slots
    if isinstance(value, list | tuple):
        if _PLAIN.issuperset(map(type, value)):
            return list(value)
        _check_depth(depth)
        items = value if isinstance(value, list) else list(value)
        shared = shared or items is not value
        return [
            _owned(items, number, given, shared=shared, depth=depth + 1)
            for number in range(len(items))
        ]
    if isinstance(value, Mapping):
        _check_depth(depth)
        items = value if isinstance(value, dict) else dict(value)
        shared = shared or items is not value
        return {name: _owned(items, name, given, shared=shared, depth=depth + 1) for name in items}
    return value


def _array(array: Array, given: set[int], *, shared: bool) -> Array:
    """Return an array, or a copy if somebody else may write to it, or if it is a small view."""
    base = array.base
    if base is None:
        return array if not shared or id(array) in given else np.array(array, order="C")
    root = _root(array)
    is_large = array.nbytes >= _KEPT_PART * getattr(root, "nbytes", 0)
    if is_large and id(root) in given:
        return array
    # Of longer chains of views it is not known who else has the array at their end.
    is_alone = isinstance(root, np.ndarray) and base is root and _is_only_in(array)
    return array if is_large and is_alone and not shared else np.array(array, order="C")


def _is_only_in(view: Array) -> bool:
    """Whether only a view refers to its array, apart from two names in the caller."""
    return sys.getrefcount(view.base) <= _ALONE + 2


def _root(array: Array) -> object:
    """Return the object that has the memory of an array."""
    base: object = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return base


def _roots(values: Iterable[object]) -> Iterable[object]:
    for value in values:
        if isinstance(value, np.ndarray):
            yield _root(value)
        elif isinstance(value, Image):
            yield _root(value.array)
        elif isinstance(value, list):
            yield from _roots(value)
        elif isinstance(value, dict):
            yield from _roots(value.values())


def _check_depth(depth: int) -> None:
    if depth == MAX_DEPTH:
        raise UnsupportedValue(TOO_DEEP)
