"""The helper for tests of users' kernels."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from tests.support.images import image
from voxk8s.errors import InvalidUsage, KernelError, UnsupportedValue
from voxk8s.kernel_testing import call_kernel
from voxk8s.kernels import kernel
from voxk8s.values import Image, Value

_CALLS = count()


@kernel("helped.add", version=1)
def add(a: Image, b: float = 1.0) -> Image:
    """Add a number."""
    return Image(np.add(a.array, b), a.spacing, a.origin, a.direction)


@kernel("helped.change", version=1)
def change(a: Image) -> Image:
    """Change the argument."""
    a.array[...] = 0
    return a


@kernel("helped.count", version=1)
def count_calls() -> int:
    """Return another value each time."""
    return next(_CALLS)


@kernel("helped.thing", version=1)
def thing() -> Value:
    """Return what cannot be stored."""
    return object()  # type: ignore[return-value]


def test_a_kernel_is_called_as_in_a_run() -> None:
    """The result is what would be stored, and the caller's array can still be written to."""
    given = np.zeros((2, 2), np.float32)
    found = call_kernel("helped.add", image(given), 2)
    assert isinstance(found, Image)
    np.testing.assert_array_equal(found.array, given + 2)
    given[0, 0] = 5


def test_an_argument_cannot_be_changed() -> None:
    """As in a run, where others use it too."""
    with pytest.raises(ValueError, match="read-only"):
        call_kernel("helped.change", image(np.zeros((2, 2))))


def test_a_kernel_must_be_pure() -> None:
    """Two calls give the same."""
    with pytest.raises(KernelError, match="two calls with the same arguments"):
        call_kernel("helped.count")


def test_a_result_must_be_storable() -> None:
    """Objects of any class are not."""
    with pytest.raises(UnsupportedValue):
        call_kernel("helped.thing")


@pytest.mark.parametrize("arguments", [(), (1, 2, 3)])
def test_the_number_of_arguments_must_fit(arguments: tuple[object, ...]) -> None:
    """As in a program."""
    with pytest.raises(InvalidUsage, match="expected 1 to 2 arguments"):
        call_kernel("helped.add", *arguments)
