"""Tests of arithmetic and comparisons by the types of their operands."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import (
    call,
    image,
    voxels,
)
from voxk8s.errors import KernelError
from voxk8s.values import Value


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("num_add", (1, 2.0), 3.0),
        ("num_sub", (1, 2), -1.0),
        ("num_mul", (3, 2), 6.0),
        ("num_div", (3, 2), 1.5),
        ("num_eq", (3, 3.0), True),
        ("num_neq", (3, 3.0), False),
        ("num_lt", (1, 2), True),
        ("num_leq", (2, 2), True),
        ("num_gt", (1, 2), False),
        ("num_geq", (2, 2), True),
        ("bool_and_scalar", (True, False), False),
        ("bool_or_scalar", (True, False), True),
        ("bool_not_scalar", (True,), False),
    ],
)
def test_numbers(name: str, arguments: tuple[Value, ...], expected: Value) -> None:
    """Operators between numbers are those of default, with numbers only."""
    assert call(f"vox1.{name}", *arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("add_vs", (0, 3.0), 5.0),
        ("mul_vs", (0, 3.0), 6.0),
        ("sub_vs", (0, 3.0), -1.0),
        ("sub_sv", (3.0, 0), 1.0),
        ("div_vs", (0, 4.0), 0.5),
        ("div_sv", (4.0, 0), 2.0),
    ],
)
def test_images_and_numbers(name: str, arguments: tuple[float, float], expected: float) -> None:
    """Operators between an image and a number keep their order (0 stands for the image)."""
    two = image(np.array([[2.0]], np.float32))
    given_ = [two if argument == 0 else argument for argument in arguments]
    assert voxels(f"vox1.{name}", *given_).item() == expected
    with pytest.raises(KernelError, match=name):
        call(f"vox1.{name}", *reversed(given_))
