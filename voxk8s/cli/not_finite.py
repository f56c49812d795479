"""Finds NaN and infinities in values that are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from voxk8s.values import Value


def not_finite(value: Value) -> str:
    """Return `NaN` or `an infinity` for a value that is one or has one in it, else nothing."""
    waiting = [value]
    infinite = False
    while waiting:
        found = waiting.pop()
        if isinstance(found, float):
            if math.isnan(found):
                return "NaN"
            infinite = infinite or math.isinf(found)
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, Mapping):
            waiting += found.values()
        elif isinstance(found, np.ndarray) and found.dtype.kind == "f":
            if np.isnan(found).any():
                return "NaN"
            infinite = infinite or bool(np.isinf(found).any())
    return "an infinity" if infinite else ""
