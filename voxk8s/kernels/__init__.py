"""How one operation is done: kernel specs, the registry and implementations.

`kernel` declares a kernel, `registry` finds them. Both are light: implementations, and the
libraries they need, are imported when an operation is computed.
"""

from __future__ import annotations

from voxk8s.kernels.context import attempt
from voxk8s.kernels.decorator import Mask, kernel
from voxk8s.kernels.devices import Device, best_device
from voxk8s.kernels.operators import Symbol, symbols
from voxk8s.kernels.registry import KernelRegistry, registry
from voxk8s.kernels.spec import CostHint, KernelSpec

__all__ = [
    "CostHint",
    "Device",
    "KernelRegistry",
    "KernelSpec",
    "Mask",
    "Symbol",
    "attempt",
    "best_device",
    "kernel",
    "registry",
    "symbols",
]
