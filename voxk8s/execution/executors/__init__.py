"""Where tasks run: executors, which implement one protocol and are found by name."""

from __future__ import annotations

from typing import Final

from voxk8s.constants import ENTRY_POINT_EXECUTORS
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.plugins import load_plugin

_BUILT_IN: Final = {
    "local": "voxk8s.execution.executors.dask_executors:LocalExecutor",
    "threads": "voxk8s.execution.executors.threads:ThreadsExecutor",
    "synchronous": "voxk8s.execution.executors.synchronous:SynchronousExecutor",
}


def find_executor(name: str) -> Executor:
    """Create the executor of this name: a built-in one, or that of an entry point."""
    executor: Executor = load_plugin("executor", name, _BUILT_IN, ENTRY_POINT_EXECUTORS)()
    return executor
