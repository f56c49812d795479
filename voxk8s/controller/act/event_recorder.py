"""Emits Kubernetes events about WorkPlans in the background; none is essential.

Of those that report nothing wrong, a namespace gets so many a second: when thousands of WorkPlans
end at once, their statuses say so, and the API server has no time to spare for saying it twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.constants import API_VERSION, KIND, MANAGER_OPERATOR
from voxk8s.controller.act.rate_limits import RateLimits
from voxk8s.controller.decide.actions import EmitEvent
from voxk8s.errors import Voxk8sError

_log = logging.getLogger(__name__)
_MESSAGE_LIMIT = 1000
_CONCURRENCY = 8
_BURST: Final = 100.0
_RATE: Final = 5.0
"""Normal events of a namespace: at once, and a second."""


class EventRecorder:
    """Creates events in the background; errors are logged."""

    def __init__(
        self,
        kube: KubeClient,
        identity: str,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Report events as the controller instance `identity`."""
        self._kube = kube
        self._identity = identity
        self._now = now
        self._clock = clock
        self._limits = RateLimits(_BURST, _RATE)
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._tasks: set[asyncio.Task[None]] = set()

    def emit(self, workplan: WorkPlanResource, event: EmitEvent) -> None:
        """Create an event without waiting for it, unless it is normal and there were too many."""
        if not event.warning and not self._limits.take(workplan.metadata.namespace, self._clock()):
            return
        task = asyncio.create_task(
            self._write(build_event(workplan, event, self._identity, self._now()))
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def flush(self) -> None:
        """Wait until all events are created."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, event: KubeObject) -> None:
        async with self._slots:
            try:
                await self._kube.create_event(event)
            except Voxk8sError as error:
                _log.debug("cannot create an event: %s", error)


def build_event(
    workplan: WorkPlanResource, event: EmitEvent, identity: str, now: datetime
) -> KubeObject:
    """Return the manifest of an event about a WorkPlan; its message is truncated."""
    metadata = workplan.metadata
    moment = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    second = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    text = f"{metadata.uid}/{event.reason}/{moment}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata.name}.{hashlib.sha256(text.encode()).hexdigest()[:16]}",
            "namespace": metadata.namespace,
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason,
        "message": event.message[:_MESSAGE_LIMIT],
        "action": event.reason,
        "eventTime": moment,
        "firstTimestamp": second,
        "lastTimestamp": second,
        "count": 1,
        "source": {"component": MANAGER_OPERATOR},
        "reportingComponent": MANAGER_OPERATOR,
        "reportingInstance": identity,
    }
