"""Tests of elementwise kernels on a GPU: a fake one, and a real one if there is any."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from tests.support.images import image, mask
from voxk8s.kernels import Device, KernelRegistry, best_device, registry
from voxk8s.values import Image, Value


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


_COLOUR = image(np.arange(630, dtype=np.uint16).reshape(5, 6, 7, 3), channels=3)

_NOISE = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
_FIRST, _SECOND = image(_NOISE), image(np.round(_NOISE[::-1]))
_MASK, _OTHER = mask(_NOISE > 0), mask(_NOISE > 1)
_CALLS: list[tuple[str, tuple[Value, ...]]] = [
    *((f"vox1.{name}_sv", (0.25, _FIRST)) for name in ("geq", "leq", "gt", "lt", "eq")),
    ("vox1.between", (-0.5, 0.5, _FIRST)),
    *((f"vox1.{name}", (_MASK, _OTHER)) for name in ("and", "or", "diff")),
    ("vox1.and", (True, _MASK)),
    ("vox1.not", (_MASK,)),
    ("vox1.mask", (_FIRST, _MASK)),
    ("vox1.mask", (_COLOUR, _MASK)),
    ("vox1.abs", (_FIRST,)),
    *((f"vox1.{name}_vs", (_FIRST, 3.0)) for name in ("add", "sub", "mul", "div")),
    *((f"vox1.{name}_sv", (3.0, _FIRST)) for name in ("sub", "div")),
    *(
        (f"default.{name}", (_FIRST, _SECOND))
        for name in ("addition", "subtraction", "multiplication", "division")
    ),
    ("default.addition", ([_FIRST, _SECOND], 1.0)),
    ("default.floor", (_FIRST,)),
]


@pytest.mark.parametrize(("name", "arguments"), _CALLS)
def test_a_gpu_gives_the_same_bits(
    found: KernelRegistry, name: str, arguments: tuple[Value, ...]
) -> None:
    """What runs on a GPU agrees with the CPU to the bit, and comes back to the host."""
    here = found.function(name, Device.CPU)(*arguments)
    there = found.function(name, Device.GPU)(*arguments)
    for one, other in zip(_images(here), _images(there), strict=True):
        assert type(other.array) is np.ndarray
        assert one.array.dtype == other.array.dtype
        assert one.array.tobytes() == other.array.tobytes()


def test_every_kernel_for_a_gpu_is_compared(found: KernelRegistry) -> None:
    """No kernel is declared for a GPU that the comparison leaves out."""
    declared = {name for name in found.names() if found.spec(name).gpu}
    assert {name for name, _ in _CALLS} == {
        name for name in declared if not name.startswith("unit_device.")
    }


def test_numbers_stay_on_the_host(found: KernelRegistry) -> None:
    """An operation that works on numbers as well as on images does so with a GPU too."""
    assert found.function("default.addition", Device.GPU)(1, 2) == 3.0
    assert found.function("vox1.not", Device.GPU)(True) is False


def _images(value: Value) -> list[Image]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Image)]
