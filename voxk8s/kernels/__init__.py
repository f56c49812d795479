"""Kernels, the functions that compute operations: specs, registry and implementations.

`@kernel` registers a kernel, `registry()` finds kernels by name. Both are light: implementations
and the libraries they need are imported when an operation is computed. Each namespace (`default`,
`vox1`, `arrays`, `strings`, `simpleitk`, `testing`) is a package with a table of its kernels;
`arguments` and `images` are what their implementations share.
"""

from __future__ import annotations

from voxk8s.kernels.decorator import Mask, kernel
from voxk8s.kernels.devices import Device, best_device
from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, attempt
from voxk8s.kernels.operators import Symbol, symbols
from voxk8s.kernels.registry import KernelRegistry, registry

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
