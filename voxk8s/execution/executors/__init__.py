"""Where tasks run: executors, which implement one protocol and are found by name."""

from __future__ import annotations

from typing import Any, Final

from voxk8s.constants import ENTRY_POINT_EXECUTORS
from voxk8s.execution.executors.protocol import (
    Executor,
    ExecutorStopped,
    Message,
    Reports,
    Session,
    TaskDone,
    TaskLost,
)
from voxk8s.execution.plugins import load_plugin

__all__ = [
    "Executor",
    "ExecutorStopped",
    "Message",
    "Reports",
    "Session",
    "TaskDone",
    "TaskLost",
    "find_executor",
]

_BUILT_IN: Final = {
    "local": "voxk8s.execution.executors.dask_executors:LocalExecutor",
    "synchronous": "voxk8s.execution.executors.synchronous:SynchronousExecutor",
}


def find_executor(name: str) -> Executor:
    """Create the executor of this name: a built-in one, or that of an entry point."""
    create: Any = load_plugin("executor", name, _BUILT_IN, ENTRY_POINT_EXECUTORS)
    executor: Executor = create()
    return executor
