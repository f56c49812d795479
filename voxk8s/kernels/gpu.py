"""Elementwise kernels on a GPU: the functions for the CPU, applied to arrays of CuPy.

NumPy's functions also work on CuPy's arrays, so `getattr` of this module creates the GPU
implementation of any `module:function` that uses nothing else: it copies images to the device,
calls the function, and copies the result back. Only kernels whose every step is exact in IEEE 754
are declared elementwise (comparisons, logic, single sums, products and quotients), so that CPU and
GPU return the same bits.
"""

from __future__ import annotations

import importlib
from typing import cast

import cupy

from voxk8s.kernels.images import image_like
from voxk8s.kernels.kernel_spec import KernelFunction
from voxk8s.values import Image, Value


def __getattr__(name: str) -> KernelFunction:
    module, separator, function = name.partition(":")
    if not separator:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    body = cast("KernelFunction", getattr(importlib.import_module(module), function))

    def call(*arguments: Value) -> Value:
        return _from_device(body(*map(_to_device, arguments)))

    call.__name__ = call.__qualname__ = function
    call.__doc__ = body.__doc__
    return call


def _to_device(value: Value) -> Value:
    if isinstance(value, Image):
        return image_like(value, cupy.asarray(value.array))
    return [_to_device(item) for item in value] if isinstance(value, list) else value


def _from_device(value: Value) -> Value:
    if isinstance(value, Image):
        return image_like(value, cupy.asnumpy(value.array))
    return [_from_device(item) for item in value] if isinstance(value, list) else value
