"""Runs a plan on Dask.

`run` looks known results up and submits what is missing, `tasks` groups operations into tasks,
`executors` run these, and `worker` is the code inside a task.

Names are loaded on first use: a plan whose goals are all known never imports Dask.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voxk8s.execution.engine import ExecutionEngine
    from voxk8s.execution.events import Event, Listener, Progress
    from voxk8s.execution.executors import Executor
    from voxk8s.execution.executors.shared_client import (
        close_shared_dask_client,
        get_shared_dask_client,
    )
    from voxk8s.execution.futures import get_operation_future, set_operation_future
    from voxk8s.execution.loading import load_plan
    from voxk8s.execution.result import ExecutionResult, GoalOutcome, OperationMetrics
    from voxk8s.execution.retry import RetryPolicy
    from voxk8s.execution.run_config import CacheMode, OnFailure
    from voxk8s.execution.tasks.scheduling import (
        DefaultPolicy,
        Placement,
        Schedule,
        SchedulingPolicy,
    )
    from voxk8s.failure import Failure

_HOMES = {
    "CacheMode": "run_config",
    "DefaultPolicy": "tasks.scheduling",
    "Event": "events",
    "ExecutionEngine": "engine",
    "ExecutionResult": "result",
    "Executor": "executors",
    "Failure": "result",
    "GoalOutcome": "result",
    "Listener": "events",
    "OnFailure": "run_config",
    "OperationMetrics": "result",
    "Placement": "tasks.scheduling",
    "Progress": "events",
    "RetryPolicy": "retry",
    "Schedule": "tasks.scheduling",
    "SchedulingPolicy": "tasks.scheduling",
    "close_shared_dask_client": "executors.shared_client",
    "get_operation_future": "futures",
    "get_shared_dask_client": "executors.shared_client",
    "load_plan": "loading",
    "set_operation_future": "futures",
}

__all__ = [
    "CacheMode",
    "DefaultPolicy",
    "Event",
    "ExecutionEngine",
    "ExecutionResult",
    "Executor",
    "Failure",
    "GoalOutcome",
    "Listener",
    "OnFailure",
    "OperationMetrics",
    "Placement",
    "Progress",
    "RetryPolicy",
    "Schedule",
    "SchedulingPolicy",
    "close_shared_dask_client",
    "get_operation_future",
    "get_shared_dask_client",
    "load_plan",
    "set_operation_future",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'voxk8s.execution' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"voxk8s.execution.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
