"""voxk8s runs VoxLogicA work plans, on Kubernetes or in one process.

Names are loaded on first use, so that importing the package is cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from voxk8s.constants import RELEASE

if TYPE_CHECKING:
    from voxk8s.execution import (
        ExecutionEngine,
        ExecutionResult,
        get_operation_future,
        get_shared_dask_client,
        load_plan,
        set_operation_future,
    )
    from voxk8s.kernels import kernel
    from voxk8s.plan import WorkPlan
    from voxk8s.program import compile_program
    from voxk8s.storage import get_storage, open_store, set_storage

__version__ = RELEASE

_HOMES = {
    "ExecutionEngine": "voxk8s.execution",
    "ExecutionResult": "voxk8s.execution",
    "WorkPlan": "voxk8s.plan",
    "compile_program": "voxk8s.program",
    "get_operation_future": "voxk8s.execution",
    "get_shared_dask_client": "voxk8s.execution",
    "get_storage": "voxk8s.storage",
    "kernel": "voxk8s.kernels",
    "load_plan": "voxk8s.execution",
    "open_store": "voxk8s.storage",
    "set_operation_future": "voxk8s.execution",
    "set_storage": "voxk8s.storage",
}

__all__ = [
    "ExecutionEngine",
    "ExecutionResult",
    "WorkPlan",
    "compile_program",
    "get_operation_future",
    "get_shared_dask_client",
    "get_storage",
    "kernel",
    "load_plan",
    "open_store",
    "set_operation_future",
    "set_storage",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'voxk8s' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
