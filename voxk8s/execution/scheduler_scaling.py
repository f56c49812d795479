"""Keeps dask-kubernetes' autoscaler to the workers of the default group.

It asks the scheduler how many workers the work needs, and which to remove, and takes all workers
for those of the default group: it would remove workers of other groups, and count them. Loaded by a
scheduler as a preload and as HTTP routes, before Dask's own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from distributed import Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.http.utils import RequestHandler
from distributed.scheduler import TaskState, WorkerState

from voxk8s.constants import ENV_WORKER_OFFERS, GROUP_MARK
from voxk8s.kernels.worker_resources import calls_at_once
from voxk8s.settings import read_json


class DefaultGroupOnly(SchedulerPlugin):
    """Lets the scheduler close workers of the default group only."""

    name = "voxk8s-default-group-only"

    def valid_workers_downscaling(
        self,
        scheduler: Scheduler,  # noqa: ARG002 -- of the interface
        workers: list[WorkerState],
    ) -> list[WorkerState]:
        """Return the workers of the default group."""
        return _of_default_group(workers)


class AdaptiveTarget(RequestHandler):
    """Answers how many workers the default group should have."""

    def get(self) -> None:
        """Write the number as Dask's own handler does."""
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"workers": adaptive_target(self.server)}))


def adaptive_target(scheduler: Scheduler) -> int:
    """Return how many workers the default group should have, by Dask's own rule.

    Tasks that need what only other groups offer do not count. Others that workers of those groups
    have are taken for waiting ones: such workers are for what needs them. What workers of the
    default group offer is in the environment, since there may be none at the time.
    """
    kind = list[dict[str, float]]
    offers: list[dict[str, float]] = read_json(os.environ, ENV_WORKER_OFFERS, kind, [])
    default = _of_default_group(scheduler.workers.values())
    addresses = {state.address for state in default}
    elsewhere = [
        task
        for state in scheduler.workers.values()
        if state.address not in addresses
        for task in state.processing
    ]
    waiting = [task for task in elsewhere if not task.resource_restrictions]
    waiting += [task for task in scheduler.unrunnable if _is_for_default(task, offers)]
    view: Any = SimpleNamespace(
        workers={state.address: state for state in default},
        queued=scheduler.queued,
        unrunnable=dict.fromkeys(waiting, 0.0),
        total_occupancy=sum(state.occupancy for state in default),
        _get_prefix_duration=scheduler._get_prefix_duration,
        workers_to_close=scheduler.workers_to_close,
    )
    return int(Scheduler.adaptive_target(view))


async def dask_setup(scheduler: Scheduler) -> None:
    """Begin to protect the workers of other groups."""
    scheduler.add_plugin(DefaultGroupOnly())


def _is_for_default(task: TaskState, offers: Iterable[Mapping[str, float]]) -> bool:
    needed = tuple((task.resource_restrictions or {}).items())
    return not needed or any(calls_at_once(offer, needed) for offer in offers)


def _of_default_group(workers: Iterable[WorkerState]) -> list[WorkerState]:
    return [state for state in workers if GROUP_MARK not in state.resources]


routes: Final[list[tuple[str, type[RequestHandler], dict[str, object]]]] = [
    ("/api/v1/adaptive_target", AdaptiveTarget, {})
]
