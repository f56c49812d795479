"""Runs a plan on Dask.

`run` looks known results up and submits what is missing, `tasks` groups operations into tasks,
`executors` run these, and `worker` is the code inside a task.

Names are loaded on first use: a plan whose goals are all known never imports Dask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voxk8s.lazy import lazy_names

if TYPE_CHECKING:
    from voxk8s.execution.engine import ExecutionEngine as ExecutionEngine
    from voxk8s.execution.events import Event as Event
    from voxk8s.execution.events import Listener as Listener
    from voxk8s.execution.events import Progress as Progress
    from voxk8s.execution.executors.protocol import Executor as Executor
    from voxk8s.execution.executors.shared_client import (
        close_shared_dask_client as close_shared_dask_client,
    )
    from voxk8s.execution.executors.shared_client import (
        get_shared_dask_client as get_shared_dask_client,
    )
    from voxk8s.execution.futures import get_operation_future as get_operation_future
    from voxk8s.execution.futures import set_operation_future as set_operation_future
    from voxk8s.execution.plan_loader import load_plan as load_plan
    from voxk8s.execution.result import ExecutionResult as ExecutionResult
    from voxk8s.execution.result import GoalOutcome as GoalOutcome
    from voxk8s.execution.result import OperationMetrics as OperationMetrics
    from voxk8s.execution.result import SkippedItem as SkippedItem
    from voxk8s.execution.retry import RetryPolicy as RetryPolicy
    from voxk8s.execution.run_config import CacheMode as CacheMode
    from voxk8s.execution.run_config import OnFailure as OnFailure
    from voxk8s.execution.run_config import OnItemFailure as OnItemFailure
    from voxk8s.execution.tasks.scheduling import DefaultPolicy as DefaultPolicy
    from voxk8s.execution.tasks.scheduling import SchedulingPolicy as SchedulingPolicy
    from voxk8s.failure import Failure as Failure

_HOMES = {
    "CacheMode": ".run_config",
    "DefaultPolicy": ".tasks.scheduling",
    "Event": ".events",
    "ExecutionEngine": ".engine",
    "ExecutionResult": ".result",
    "Executor": ".executors.protocol",
    "Failure": "..failure",
    "GoalOutcome": ".result",
    "Listener": ".events",
    "OnFailure": ".run_config",
    "OnItemFailure": ".run_config",
    "OperationMetrics": ".result",
    "Progress": ".events",
    "RetryPolicy": ".retry",
    "SkippedItem": ".result",
    "SchedulingPolicy": ".tasks.scheduling",
    "close_shared_dask_client": ".executors.shared_client",
    "get_operation_future": ".futures",
    "get_shared_dask_client": ".executors.shared_client",
    "load_plan": ".plan_loader",
    "set_operation_future": ".futures",
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
