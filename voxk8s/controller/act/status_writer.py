"""Writes the two parts of a WorkPlan's status, and keeps why the API server rejected one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.status import WorkPlanStatus
from voxk8s.api.status_limits import seconds_between_writes
from voxk8s.api.workplan import ObjectMeta, WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import ApiError, Conflict, Invalid, KubeUnreachable, TooLarge
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import API_VERSION, KIND
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.work_queue import Backoff

_log = logging.getLogger(__name__)
_RUNNER_NAMES = frozenset(
    field.encode_name
    for field in msgspec.structs.fields(WorkPlanStatus)
    if field.name in RUNNER_FIELDS
)
SETTLE_SECONDS = 3.0
"""Time that changes of a small WorkPlan wait which are not urgent."""


@dataclass(slots=True)
class _Rejection:
    message: str
    failures: int
    retry_at: float
    told: str = ""
    """What an event has said of it, since no status could."""
    report_rejected: bool = False
    """Whether the report of it was rejected, too: then nothing is written until `retry_at`."""


@dataclass(slots=True)
class StatusWriter:
    """Applies the status by the field manager of its part, server-side.

    A part that is rejected is not written again before a backoff is over. The API server stores the
    whole object at each write: the larger it is, the longer wait changes that are not urgent.

    Each write is only accepted for the version of the WorkPlan that it was decided for. An informer
    may be behind by any time; and what another operator has sent may arrive long after its end,
    when this one has written, since its machine sends again what a network has lost.
    """

    kube: KubeClient
    state: ClusterState
    clock: Callable[[], float] = time.monotonic
    backoff: Backoff = field(default_factory=lambda: Backoff(first=2.0, most=120.0))
    _rejections: dict[str, _Rejection] = field(default_factory=dict)
    _intervals: dict[str, float] = field(default_factory=dict)
    _deferred_at: dict[str, float] = field(default_factory=dict)
    """When the oldest change that waits was first seen."""
    _current: set[str] = field(default_factory=set)
    """The WorkPlans of which the informer has the operator's part as it is."""
    _behind: set[str] = field(default_factory=set)
    """The WorkPlans that a write found changed: they are read before the next decision."""
    _successors: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The versions before and after the last write: a second write of the same decision is for the
    one after it."""

    def error(self, uid: str) -> str:
        """Return why a status was rejected; empty if it was not, or is to be tried again."""
        rejection = self._rejections.get(uid)
        if rejection is None or self.clock() >= rejection.retry_at:
            return ""
        return rejection.message

    def untold(self, uid: str) -> str:
        """Return, once, why not even the report of a rejection is written; empty otherwise."""
        rejection = self._rejections.get(uid)
        if rejection is None or not rejection.report_rejected:
            return ""
        before, rejection.told = rejection.told, rejection.message
        return "" if before == rejection.message else rejection.message

    def retry_in(self, uid: str) -> float | None:
        """Return the seconds until a rejected status is written again; None without one."""
        rejection = self._rejections.get(uid)
        # What was due and not written again is no longer to be written.
        seconds = 0.0 if rejection is None else rejection.retry_at - self.clock()
        return seconds if seconds > 0 else None

    def wait(self, uid: str) -> float:
        """Return the seconds until changes that are not urgent are written."""
        interval = self._intervals.get(uid, SETTLE_SECONDS)
        now = self.clock()
        return interval - (now - self._deferred_at.get(uid, now))

    def defer(self, uid: str) -> None:
        """Note that a change waits, unless one does already."""
        self._deferred_at.setdefault(uid, self.clock())

    def end_wait(self, uid: str) -> None:
        """Note that no change waits: the one that did was undone, or is being written."""
        self._deferred_at.pop(uid, None)

    def is_current(self, uid: str) -> bool:
        """Whether the operator's part is known as it is: this operator has written or read it."""
        return uid in self._current

    def note_current(self, uid: str) -> None:
        """Note that the informer has a WorkPlan as the API server had it a moment ago."""
        self._current.add(uid)

    async def catch_up(self, workplan: WorkPlanResource) -> None:
        """Let the informer have what a write was refused for.

        That is read only when it is decided on: after the pause that follows a Conflict, a runner
        that writes all the time has changed it again.
        """
        metadata = workplan.metadata
        if metadata.uid not in self._behind:
            return
        found = await self.kube.find(WORK_PLANS, metadata.name, metadata.namespace)
        self._behind.discard(metadata.uid)
        if found is not None and found["metadata"]["uid"] == metadata.uid:
            self.state.workplans.note_written(found)
            self.note_current(metadata.uid)

    def forget(self, uid: str) -> None:
        """Drop what is kept about a WorkPlan."""
        self._current.discard(uid)
        self._behind.discard(uid)
        self._successors.pop(uid, None)
        self._rejections.pop(uid, None)
        self._intervals.pop(uid, None)
        self._deferred_at.pop(uid, None)

    async def write(self, workplan: WorkPlanResource, part: dict[str, Any], manager: str) -> bool:
        """Apply one manager's part of the status; return False if the API server rejected it.

        The uid protects a successor of the same name. Raises the errors that are worth a retry;
        after a Conflict `catch_up` is to come before the next decision.
        """
        metadata = workplan.metadata
        rejection = self._rejections.get(metadata.uid) if self.error(metadata.uid) else None
        if rejection is not None and rejection.report_rejected:
            return False
        version = self._version(metadata)
        try:
            written = await self.kube.apply(
                WORK_PLANS,
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "metadata": {
                        "name": metadata.name,
                        "namespace": metadata.namespace,
                        "uid": metadata.uid,
                        "resourceVersion": version,
                    },
                    "status": part,
                },
                metadata.namespace,
                manager=manager,
                subresource="status",
            )
        except (Invalid, TooLarge) as error:
            if rejection is not None:
                rejection.report_rejected = True
            else:
                self._reject(metadata.uid, error)
            return False
        except Conflict:
            self._note_behind(metadata.uid)
            raise
        except KubeUnreachable:
            self._current.discard(metadata.uid)  # It may have been written.
            raise
        if rejection is None:
            self._rejections.pop(metadata.uid, None)
        self.end_wait(metadata.uid)
        size = len(msgspec.json.encode(written))
        self._intervals[metadata.uid] = SETTLE_SECONDS + seconds_between_writes(size)
        self._note_written(metadata, written)
        self.note_current(metadata.uid)
        return True

    async def remove_runner_part(self, workplan: WorkPlanResource) -> None:
        """Remove the runner's part of the status, whoever wrote it."""
        metadata = workplan.metadata
        identity = {"uid": metadata.uid, "resourceVersion": self._version(metadata)}
        try:
            written = await self.kube.patch(
                WORK_PLANS,
                metadata.name,
                {"metadata": identity, "status": dict.fromkeys(_RUNNER_NAMES)},
                metadata.namespace,
                subresource="status",
            )
        except Conflict:
            self._note_behind(metadata.uid)
            raise
        self._note_written(metadata, written)

    def _note_written(self, metadata: ObjectMeta, written: KubeObject) -> None:
        self.state.workplans.note_written(written)
        after = str(written["metadata"]["resourceVersion"])
        self._successors[metadata.uid] = (metadata.resource_version, after)

    def _note_behind(self, uid: str) -> None:
        self._current.discard(uid)  # Another operator may have written its part.
        self._behind.add(uid)

    def _version(self, metadata: ObjectMeta) -> str:
        """Return the version that a write is for."""
        seen, written = self._successors.get(metadata.uid, ("", ""))
        return written if seen == metadata.resource_version else metadata.resource_version

    def _reject(self, uid: str, error: ApiError) -> None:
        before = self._rejections.get(uid)
        failures = before.failures + 1 if before else 1
        seconds = self.backoff.delay(failures, lambda: 0.0)
        told = before.told if before else ""
        self._rejections[uid] = _Rejection(str(error), failures, self.clock() + seconds, told)
        _log.warning("the status of WorkPlan %s was rejected: %s", uid, error)
