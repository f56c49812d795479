"""Where units run: executors behind one small protocol, found by name."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Final

from voxk8s.constants import ENTRY_POINT_EXECUTORS
from voxk8s.errors import InvalidUsage
from voxk8s.execution.executors.protocol import (
    Done,
    Executor,
    Lost,
    Message,
    Reports,
    Session,
    Stopped,
)

__all__ = ["Done", "Executor", "Lost", "Message", "Reports", "Session", "Stopped", "find_executor"]

_BUILT_IN: Final = {
    "local": "voxk8s.execution.executors.local:LocalExecutor",
    "synchronous": "voxk8s.execution.executors.synchronous:SynchronousExecutor",
}


def find_executor(name: str) -> Executor:
    """Make the executor of this name: a built-in one, or one of an installed package."""
    home = _BUILT_IN.get(name)
    if home is not None:
        module, _, attribute = home.partition(":")
        made: Executor = getattr(import_module(module), attribute)()
        return made
    for entry in metadata.entry_points(group=ENTRY_POINT_EXECUTORS, name=name):
        found: Executor = entry.load()()
        return found
    others = {entry.name for entry in metadata.entry_points(group=ENTRY_POINT_EXECUTORS)}
    raise InvalidUsage(
        f"there is no executor {name!r}; there are {', '.join(sorted({*_BUILT_IN, *others}))}"
    )
