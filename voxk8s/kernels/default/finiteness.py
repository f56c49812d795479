"""The kernel by which a run finds where NaN and infinities began."""

from __future__ import annotations

from voxk8s.not_finite import not_finite
from voxk8s.values import Value


def say_not_finite(value: Value) -> Value:
    """Return `NaN` or `an infinity` if a value is one or has one in it, else an empty string."""
    return not_finite(value)
