"""Tests of folds at run time."""

from __future__ import annotations

import pytest

from voxk8s.errors import KernelError
from voxk8s.kernels import registry

fold = registry().function("default.fold")


def test_a_fold_goes_from_the_left() -> None:
    """The first value and the items are combined one after the other."""
    assert fold("default.subtraction", 1, 10.0, [1, 2]) == 7.0
    assert fold("default.addition", 1.0, 3.0, []) == 3.0


@pytest.mark.parametrize(
    ("kernel", "version", "message"),
    [
        ("default.nothing", 1, "no kernel"),
        ("addition", 1, "no kernel"),
        (3.0, 1, "no kernel"),
        ("default.addition", 2, "has version 1"),
    ],
)
def test_a_kernel_that_is_not_there_is_refused(
    kernel: object, version: object, message: str
) -> None:
    """The name must be full, and the version that of the plan."""
    with pytest.raises(KernelError, match=message):
        fold(kernel, version, 0.0, [1])
