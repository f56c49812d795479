"""Functions of the compiled library, called by ctypes without the interpreter's lock.

The library is built from the C sources in this folder. It is no extension module: it needs no
headers of Python, and one build serves all versions of it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Final, TypeAlias

from voxk8s.errors import KernelError
from voxk8s.values import Array

_LONGEST: Final = 2**30
"""Twice a side is within 32 bits: distances along a row start beyond its ends."""
_NAME: Final = "voxk8s.kernels.native._library"

Pointer: Final = ctypes.c_void_p
Int64: Final = ctypes.c_int64
Float: Final = ctypes.c_float
Double: Final = ctypes.c_double
Int: Final = ctypes.c_int
NativeFunction: TypeAlias = Callable[..., None]
_Type: TypeAlias = (
    type[ctypes.c_void_p]
    | type[ctypes.c_int64]
    | type[ctypes.c_int]
    | type[ctypes.c_float]
    | type[ctypes.c_double]
)


def native(name: str, *types: _Type) -> NativeFunction:
    """Return the function `voxk8s_name` of the library, whose parameters have these types.

    It raises MemoryError where the function returns 1, for missing memory. Arrays are passed by
    `address`.
    """
    function = getattr(_library(), f"voxk8s_{name}")
    function.argtypes = types
    function.restype = ctypes.c_int

    def call(*arguments: object) -> None:
        if len(arguments) != len(types):  # ctypes passes more on, as 32 bits each
            raise TypeError(f"{name}: expected {len(types)} arguments, got {len(arguments)}")
        if function(*arguments):
            raise MemoryError

    return call


def address(array: Array) -> int:
    """Return where the elements of an array in C order are; the caller keeps it alive."""
    if not array.flags.c_contiguous:
        raise ValueError("expected an array in C order")
    return array.ctypes.data


def extents(shape: Sequence[int]) -> ctypes.Array[ctypes.c_int64]:
    """Return the extents along z, y, x of an array of one, two or three axes.

    Raises KernelError for a side that the library cannot count: within a row it has 32 bits.
    """
    return (ctypes.c_int64 * 3)(*_three(shape))


def short_extents(shape: Sequence[int]) -> ctypes.Array[ctypes.c_int32]:
    """Return the same as numbers of 32 bits."""
    return (ctypes.c_int32 * 3)(*_three(shape))


def _three(shape: Sequence[int]) -> tuple[int, ...]:
    if max(shape) > _LONGEST:
        raise KernelError(
            f"expected an image of at most 2^30 voxels along each axis, got {max(shape)}; crop it"
        )
    return (*(1,) * (3 - len(shape)), *shape)


@cache
def _library() -> ctypes.CDLL:
    found = find_spec(_NAME)
    if found is None or found.origin is None:
        raise ImportError(f"{_NAME} is not built: install the package voxk8s anew (make venv)")
    return ctypes.CDLL(found.origin)
