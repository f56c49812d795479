"""Folds over sequences that are only known when the program runs."""

from __future__ import annotations

from voxk8s.errors import KernelError
from voxk8s.kernels.catalogue import registry
from voxk8s.kernels.default.sequences import items_of
from voxk8s.values import Value


def fold(kernel: Value, version: Value, initial: Value, xs: Value) -> Value:
    """Apply a kernel of two arguments from the left: k(k(initial, x0), x1) and so on.

    `kernel` is a full name, as in `default.addition`. `version` must be its version: it is an
    argument so that a new version of the kernel gives a new result key. An empty sequence gives
    `initial`. KernelError for a kernel that is not there, or of another version.
    """
    found = registry().find(kernel, ()) if isinstance(kernel, str) else None
    if found is None or found.qualified != kernel:
        raise KernelError(f"fold: there is no kernel {kernel!r}; give its full name")
    if found.version != version:
        raise KernelError(
            f"fold: {kernel} has version {found.version}, the plan asks for {version}"
        )
    function = registry().function(found.qualified)
    result = initial
    for item in items_of("fold", xs):
        result = function(result, item)
    return result
