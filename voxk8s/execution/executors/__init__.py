"""Where tasks run: executors behind one small protocol, found by name."""

from __future__ import annotations

from typing import Any, Final

from voxk8s.constants import ENTRY_POINT_EXECUTORS
from voxk8s.execution.executors.protocol import (
    Done,
    Executor,
    Lost,
    Message,
    Reports,
    Session,
    Stopped,
)
from voxk8s.execution.plugins import load_named

__all__ = ["Done", "Executor", "Lost", "Message", "Reports", "Session", "Stopped", "find_executor"]

_BUILT_IN: Final = {
    "local": "voxk8s.execution.executors.local:LocalExecutor",
    "synchronous": "voxk8s.execution.executors.synchronous:SynchronousExecutor",
}


def find_executor(name: str) -> Executor:
    """Make the executor of this name: a built-in one, or one of an installed package."""
    make: Any = load_named("executor", name, _BUILT_IN, ENTRY_POINT_EXECUTORS)
    made: Executor = make()
    return made
