"""Tests of kernels with an implementation for a GPU: on a fake device, and on a real one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.kernels.samples import image, mask
from voxk8s.kernels import Device, best_device, catalogue, kernel, registry
from voxk8s.values import Image, Value


def test_the_device_chooses_the_implementation() -> None:
    """A process with a GPU calls the kernel's other function, without one the usual."""

    def fast(number: float) -> float:
        return number + 100

    @kernel("unit_device.f", gpu=fast)
    def slow(number: float) -> float:
        """Give the number."""
        return number

    assert registry().function("unit_device.f", Device.CPU)(1.0) == 1.0
    assert registry().function("unit_device.f", Device.GPU)(1.0) == 101.0


def test_the_best_device_is_taken_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask for the GPU where there is one."""

    @kernel("unit_device.g", gpu=lambda number: number + 100)
    def slow(number: float) -> float:
        """Give the number."""
        return number

    monkeypatch.setattr(catalogue, "best_device", lambda: Device.GPU)
    assert registry().function("unit_device.g")(1.0) == 101.0


def test_a_kernel_without_one_runs_on_the_cpu() -> None:
    """A GPU changes nothing for kernels that have no use for it."""
    found = registry()
    assert found.function("vox1.near", Device.GPU) is found.function("vox1.near", Device.CPU)


@pytest.mark.skipif(best_device() is not Device.GPU, reason="no GPU with CuPy here")
@pytest.mark.parametrize(
    "name", ["geq_sv", "leq_sv", "gt_sv", "lt_sv", "eq_sv", "and", "or", "not"]
)
def test_a_gpu_gives_the_same_bits(name: str) -> None:
    """What runs on a GPU agrees with the CPU to the bit."""
    noise = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    first, second = mask(noise > 0), mask(noise > 1)
    arguments: dict[str, tuple[Value, ...]] = {"not": (first,)}
    if name in ("and", "or"):
        arguments[name] = (first, second)
    chosen = arguments.get(name, (0.25, image(noise)))
    here = registry().function(f"vox1.{name}", Device.CPU)(*chosen)
    there = registry().function(f"vox1.{name}", Device.GPU)(*chosen)
    assert isinstance(here, Image)
    assert isinstance(there, Image)
    np.testing.assert_array_equal(here.array, there.array)
