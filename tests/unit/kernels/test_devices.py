"""Tests of the choice of a kernel's implementation by device."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import numpy as np
import pytest

from voxk8s.kernels import Device, KernelRegistry, best_device, kernel, registry

registry_module = importlib.import_module("voxk8s.kernels.registry")


def test_the_device_chooses_the_implementation() -> None:
    """A process with a GPU calls the kernel's other function, without one the usual."""

    def fast(number: float) -> float:
        return number + 100

    @kernel("unit_device.f", gpu=fast)
    def slow(number: float) -> float:
        """Return the number."""
        return number

    assert registry().function("unit_device.f", Device.CPU)(1.0) == 1.0
    assert registry().function("unit_device.f", Device.GPU)(1.0) == 101.0


def test_the_best_device_is_taken_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask for the GPU where there is one."""

    @kernel("unit_device.g", gpu=lambda number: number + 100)
    def slow(number: float) -> float:
        """Return the number."""
        return number

    monkeypatch.setattr(registry_module, "best_device", lambda: Device.GPU)
    assert registry().function("unit_device.g")(1.0) == 101.0


def test_a_kernel_without_one_runs_on_the_cpu() -> None:
    """A GPU changes nothing for kernels that have no use for it."""
    found = registry()
    assert found.function("vox1.near", Device.GPU) is found.function("vox1.near", Device.CPU)


class _OnDevice(np.ndarray):
    """An array of the fake device: NumPy's functions keep it there, as they do with CuPy's."""

    def __array_function__(self, function, types, arguments, options):  # type: ignore[no-untyped-def]  # NumPy's protocol
        result = super().__array_function__(function, types, arguments, options)
        return result.view(_OnDevice) if isinstance(result, np.ndarray) else result


def _from_fake_device(array: np.ndarray) -> np.ndarray:
    assert isinstance(array, _OnDevice), "computed on the host"
    return array.view(np.ndarray)


@pytest.fixture(
    params=[
        "fake",
        pytest.param(
            "real",
            marks=pytest.mark.skipif(
                best_device() is not Device.GPU, reason="no GPU with CuPy here"
            ),
        ),
    ]
)
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> KernelRegistry:
    """A registry whose GPU kernels run on NumPy dressed as CuPy, and on a real GPU."""
    if request.param == "real":
        return registry()
    fake = ModuleType("cupy")
    fake.asarray = lambda array: array.view(_OnDevice)  # type: ignore[attr-defined]  # a fake
    fake.asnumpy = _from_fake_device  # type: ignore[attr-defined]  # a fake
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.delitem(sys.modules, "voxk8s.kernels.gpu", raising=False)
    usual = registry()
    specs = {name: usual.spec(name) for name in usual.names() if usual.spec(name).gpu}
    return KernelRegistry(specs)
