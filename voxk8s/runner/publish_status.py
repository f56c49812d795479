"""Writes the runner's part of the status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Conflict, Forbidden, Invalid, NotFound
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import API_VERSION, KIND, MANAGER_RUNNER
from voxk8s.errors import TransientError
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.status_reporter import RateLimit, StatusReporter

_log = logging.getLogger(__name__)
_LOOK = 0.1
_PATIENCE = 300.0


class WorkPlanGone(Exception):
    """The WorkPlan was deleted, or another one has its name: nobody waits for this run."""


class StatusPublisher:
    """Server-side apply of the runner's fields, by the runner's own field manager."""

    def __init__(self, kube: KubeClient, config: RunnerConfig, clock: Callable[[], float]) -> None:
        """Write to the WorkPlan of the configuration."""
        self._kube = kube
        self._config = config
        self._pace = RateLimit(clock, started=clock())
        self._clock = clock
        self._last: dict[str, Any] = {}

    async def narrate(self, narrator: StatusReporter) -> None:
        """Write news as they come, at most once a second, until cancelled."""
        while True:
            part = narrator.news()
            if not part or part == self._last:
                await asyncio.sleep(_LOOK)
                continue
            if (wait := self._pace.wait()) > 0:
                await asyncio.sleep(wait)
                part = narrator.news()
            try:
                await self._write(part)
            except TransientError as error:
                _log.info("the status could not be written: %s", error)
                await asyncio.sleep(1.0)

    async def publish(self, part: dict[str, Any]) -> None:
        """Write a part and see that it is written; raises what lasts longer than five minutes."""
        end = self._clock() + _PATIENCE
        wait = 0.2
        while True:
            try:
                await self._write(part)
            except TransientError as error:
                if self._clock() >= end:
                    raise
                _log.warning("the status could not be written, trying again: %s", error)
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
        return found

    async def _write(self, part: dict[str, Any]) -> None:
        config = self._config
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": config.name, "namespace": config.namespace, "uid": config.uid},
            "status": part,
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
        self._pace.wrote()
        self._last = part
