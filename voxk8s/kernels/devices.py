"""What a process may compute on: the CPU, and a GPU where there is one that CuPy can use."""

from __future__ import annotations

import importlib.util
import logging
from enum import StrEnum
from functools import cache

_log = logging.getLogger(__name__)


class Device(StrEnum):
    """Where an implementation of a kernel runs."""

    CPU = "cpu"
    GPU = "gpu"


@cache
def best_device() -> Device:
    """Give the GPU if this process has one, else the CPU; asked once.

    A worker has one when its pod asks for `nvidia.com/gpu` and its image brings CuPy.
    """
    if importlib.util.find_spec("cupy") is None:
        return Device.CPU
    try:
        import cupy

        return Device.GPU if cupy.cuda.runtime.getDeviceCount() else Device.CPU
    except Exception as error:  # noqa: BLE001 a broken driver must not stop what the CPU can do
        _log.info("no GPU is used: %s", error)
        return Device.CPU
