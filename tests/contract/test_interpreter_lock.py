"""No kernel on images keeps the other threads of its worker from running."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from tests.support.images import image, mask
from tests.support.interpreter_lock import observe
from tests.support.kernel_arguments import IMAGE_KERNELS, kernel_arguments, noise
from voxk8s.kernels import registry
from voxk8s.values import Value

_LARGE = noise(100, 160, 200)
_MEDIUM = noise(60, 80, 100)
_SMALL = noise(24, 40, 40)
_DEAR = 0.1
"""Seconds for a million voxels from which on the small volume is large enough."""
_SHORT = 2e-3
"""Seconds that may pass without a look, however short the kernel is."""
_LARGEST_SHARE = 0.25
_ATTEMPTS = 20

_ARITHMETIC = [
    f"default.{name}" for name in ("addition", "subtraction", "multiplication", "division")
]
_ITK: dict[str, tuple[object, ...]] = {
    "Add": ("image", "image"),
    "BinaryDilate": ("mask",),
    "BinaryFillhole": ("mask",),
    "BinaryMorphologicalOpening": ("mask",),
    "BinaryThreshold": ("image", 0.3, 0.6),
    "ConnectedComponent": ("mask",),
    "DiscreteGaussian": ("image",),
    "GradientMagnitude": ("image",),
    "OtsuThreshold": ("image",),
    "SignedMaurerDistanceMap": ("mask",),
    "SmoothingRecursiveGaussian": ("image", 1.5),
}


def _check(function: Callable[[], object]) -> None:
    """Fail unless one of some calls lets others run: a busy machine spoils some, a lock all."""
    function()
    holds = []
    for _ in range(_ATTEMPTS):
        hold = observe(function)
        if hold.longest < _SHORT or hold.share < _LARGEST_SHARE:
            return
        holds.append(hold)
    best = min(holds, key=lambda hold: hold.share)
    pytest.fail(
        f"the interpreter's lock was held for {best.longest * 1e3:.1f} of {best.total * 1e3:.1f} ms"
    )


@pytest.mark.parametrize("name", IMAGE_KERNELS)
def test_kernels_let_other_threads_run(name: str) -> None:
    """While a kernel computes, other threads get the interpreter again and again."""
    spec = registry().spec(name)
    dear = spec.cost is not None and spec.cost.per_megavoxel > _DEAR
    arguments = kernel_arguments(name, _SMALL if dear else _LARGE)
    _check(partial(registry().function(name), *arguments))


@pytest.mark.parametrize("name", _ARITHMETIC)
def test_arithmetic_on_images_lets_other_threads_run(name: str) -> None:
    """So do the kernels of `default` on images."""
    _check(partial(registry().function(name), image(_LARGE), image(_LARGE)))


@pytest.mark.parametrize("name", _ITK)
def test_filters_of_itk_let_other_threads_run(name: str) -> None:
    """So do calls of SimpleITK, the copies to and from it included."""
    given: dict[object, Value] = {"image": image(_MEDIUM), "mask": mask(_MEDIUM > 0.6)}
    arguments = [given.get(word, word) for word in _ITK[name]]
    _check(partial(registry().function(f"simpleitk.{name}"), *arguments))


def test_a_function_that_holds_the_lock_is_found() -> None:
    """Bytes are counted with the lock held: all that time no look is possible."""
    data = np.zeros(20_000_000, np.uint8).tobytes()
    with pytest.raises(pytest.fail.Exception, match="lock was held"):
        _check(lambda: data.count(b"\1\2"))
