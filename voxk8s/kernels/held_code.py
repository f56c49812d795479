"""What objects hold: the code inside of those that hide it, and their content as bytes.

Objects of other packages (`numpy.vectorize`, a `defaultdict` of functions) may hold functions of a
user, whose code is more than their name.
"""

from __future__ import annotations

import functools
import gc
import inspect
import io
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

_WRAPPED: Final = ("__wrapped__", "py_func")
"""Attributes under which decorators of functools, numba and others keep the function."""
_CODE: Final = (types.FunctionType, types.MethodType, functools.partial, type)


def is_code(value: object) -> bool:
    """Whether a value is a function, a class, or an object that replaces a decorated function."""
    return isinstance(value, _CODE) or wrapped_function(value) is not None


def wrapped_function(value: object) -> object:
    """Return the function that a decorator keeps in the object that replaces it, or None."""
    for name in _WRAPPED:
        found = inspect.getattr_static(value, name, None)
        if isinstance(found, types.FunctionType):
            return found
    return None


def importable_name(value: object) -> str | None:
    """Return the name of an object that its module has under that name: a built-in, a ufunc."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str):
        return None
    if isinstance(value, types.BuiltinFunctionType | types.MethodDescriptorType):
        return name
    module = getattr(value, "__module__", None) or type(value).__module__
    found = getattr(sys.modules.get(module), name, None)
    return name if found is value else None


def attributes_of(value: object) -> Iterator[tuple[str, object]]:
    """Return the attributes of an object with their names, in order, also those in slots."""
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            is_private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{kind.__name__.lstrip('_')}{slot}" if is_private else slot
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    yield from sorted(found.items())


def content_of(value: object) -> object:
    """Return what an instance of a subclass of a built-in type contains, or None."""
    match value:
        case dict():
            return dict(dict.items(value))
        case list():
            return list(list.__iter__(value))
        case tuple():
            return tuple(tuple.__iter__(value))
        case set() | frozenset():
            return frozenset(value)
        case str():
            return str.__str__(value)
        case bytes():
            return bytes.__getitem__(value, slice(None))
        case int():
            return int.__int__(value)
        case float():
            return float.__float__(value)
    return None


def pickled(value: object) -> tuple[bytes, list[object]] | None:
    """Return an object as bytes, and the code and the sets in it, which are not in the bytes.

    None if it cannot be pickled. Equal objects give equal bytes, whichever parts of them are one.
    """
    parts: list[object] = []

    class _Pickler(pickle.Pickler):
        def persistent_id(self, part: object) -> int | None:
            if isinstance(part, (*_CODE, set, frozenset)) and part is not value:
                parts.append(part)
                return len(parts)
            return None

    for fast in (True, False):  # without the memo of parts, unless a part contains itself
        parts.clear()
        stream = io.BytesIO()
        pickler = _Pickler(stream, protocol=4)
        pickler.fast = fast
        with suppress(Exception):  # a lock, an open file
            pickler.dump(value)
            return stream.getvalue(), parts
    return None


def referred_code(value: object) -> list[object]:
    """Return the code that an object refers to directly, in the order in which it does."""
    held = [*(each for _, each in attributes_of(value)), *gc.get_referents(value)]
    return [each for each in held if is_code(each) and each is not type(value)]
