"""The normal form of values: what a store gives back, whether a value was stored or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from voxk8s.errors import UnsupportedValue
from voxk8s.storage.payload import MAX_DEPTH
from voxk8s.values import Value

_PLAIN = frozenset({bool, int, float, str, type(None)})


def normal(value: object, depth: int = 0) -> Value:
    """Make lists of tuples and plain numbers of numpy's scalars, inside of containers as well.

    A kernel must not see another type when its argument comes from the store. What is normal
    already is given back as it is; what is no value is left to whoever has to store it. Raises
    UnsupportedValue for what is nested deeper than a store takes.
    """
    kind = type(value)
    if kind in _PLAIN:
        return cast("Value", value)
    if isinstance(value, np.generic):
        item = value.item()
        return cast("Value", item if type(item) in _PLAIN else np.asarray(value))
    if depth > MAX_DEPTH:
        raise UnsupportedValue(f"a value is nested deeper than {MAX_DEPTH} lists and mappings")
    if isinstance(value, list | tuple):
        if kind is list and _PLAIN.issuperset(map(type, value)):
            return cast("Value", value)
        return [normal(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {name: normal(item, depth + 1) for name, item in value.items()}
    return cast("Value", value)
