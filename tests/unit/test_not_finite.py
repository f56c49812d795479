"""Tests of the search for NaN and infinities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from voxk8s.not_finite import not_finite
from voxk8s.values import Image, Value


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1.5, ""),
        (["nan", 10**400, None, True], ""),
        (math.nan, "NaN"),
        ([1.0, {"a": [-math.inf]}], "an infinity"),
        ([math.inf, math.nan], "NaN"),
        (np.array([1.0, np.inf]), "an infinity"),
        (np.array([np.nan]), "NaN"),
        (np.array([1]), ""),
        (Image(np.array([[0, np.inf]], np.float32), (1, 1), (0, 0), (1, 0, 0, 1)), "an infinity"),
        (Image(np.ones((1, 2), np.uint8), (1, 1), (0, 0), (1, 0, 0, 1)), ""),
    ],
)
def test_what_is_not_finite_is_found(value: Value, found: str) -> None:
    """At any depth; NaN counts more."""
    assert not_finite(value) == found
