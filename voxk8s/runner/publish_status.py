"""Applies the runner's fields to the status of its WorkPlan."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Conflict, Forbidden, Invalid, NotFound
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import API_VERSION, KIND, MANAGER_RUNNER
from voxk8s.errors import TransientError
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.status_reporter import RateLimit, StatusReporter

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_GIVE_UP_SECONDS = 300.0


class WorkPlanGone(Exception):
    """The WorkPlan of this run was deleted, or replaced by another one of the same name."""


class StatusPublisher:
    """Applies fields of the status server-side, as the field manager of the runner."""

    def __init__(self, kube: KubeClient, config: RunnerConfig, clock: Callable[[], float]) -> None:
        """Write to the WorkPlan in `config`; `clock` returns seconds."""
        self._kube = kube
        self._config = config
        self._rate_limit = RateLimit(clock)
        self._clock = clock
        self._published: dict[str, Any] = {}

    async def publish_changes(self, reporter: StatusReporter) -> None:
        """Write the reporter's fields when they change, as often as allowed, until cancelled."""
        while True:
            fields = reporter.fields_to_publish()
            if not fields or fields == self._published:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if (delay := self._rate_limit.delay()) > 0:
                await asyncio.sleep(delay)
                fields = reporter.fields_to_publish()
            try:
                await self._write(fields)
            except TransientError as error:
                _log.info("cannot write the status: %s", error)
                await asyncio.sleep(1.0)

    async def publish(self, fields: dict[str, Any]) -> None:
        """Write fields, retrying transient errors for five minutes before they are raised."""
        end = self._clock() + _GIVE_UP_SECONDS
        wait = 0.2
        while True:
            try:
                await self._write(fields)
            except TransientError as error:
                if self._clock() >= end:
                    raise
                _log.warning("cannot write the status, retrying: %s", error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 10.0)
            else:
                return

    async def read_workplan(self) -> dict[str, Any]:
        """Return the WorkPlan of this run; raises WorkPlanGone if it was deleted or replaced."""
        name = self._config.name
        try:
            found = await self._kube.get(WORK_PLANS, name, self._config.namespace)
        except NotFound as error:
            raise WorkPlanGone(str(error)) from error
        if found["metadata"]["uid"] != self._config.uid:
            raise WorkPlanGone(f"another WorkPlan has the name {name}")
        self._rate_limit.size = len(msgspec.json.encode(found))
        return found

    async def _write(self, fields: dict[str, Any]) -> None:
        config = self._config
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": config.name, "namespace": config.namespace, "uid": config.uid},
            "status": fields,
        }
        try:
            await self._kube.apply(
                WORK_PLANS,
                body,
                config.namespace,
                manager=MANAGER_RUNNER,
                subresource="status",
                # The full object would carry the plan, every second.
                metadata_only=True,
            )
        except NotFound as error:
            raise WorkPlanGone(str(error)) from error
        except (Conflict, Forbidden, Invalid):
            await self.read_workplan()
            raise
        self._rate_limit.record_write()
        self._published = fields
