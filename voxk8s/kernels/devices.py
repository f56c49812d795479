"""Devices that kernels run on: the CPU, and a GPU if CuPy can use one."""

from __future__ import annotations

import importlib.util
import logging
from enum import StrEnum
from functools import cache

_log = logging.getLogger(__name__)


class Device(StrEnum):
    """A device that an implementation of a kernel runs on."""

    CPU = "cpu"
    GPU = "gpu"


@cache
def best_device() -> Device:
    """Return the GPU if this process has one, else the CPU; determined once.

    A worker has a GPU if its pod requests `nvidia.com/gpu` and its image contains CuPy.
    """
    if importlib.util.find_spec("cupy") is None:
        return Device.CPU
    try:
        import cupy

        return Device.GPU if cupy.cuda.runtime.getDeviceCount() else Device.CPU
    except Exception as error:  # noqa: BLE001 with a broken driver, the CPU is used
        _log.info("using the CPU, the GPU is not available: %s", error)
        return Device.CPU
