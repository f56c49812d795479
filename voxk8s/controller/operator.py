"""The operator as a whole: caches for all, actions for the one that leads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import Any

from voxk8s.api import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.act.orphans import cleanup_orphans
from voxk8s.controller.config import Config
from voxk8s.controller.health import serve_health, serve_metrics
from voxk8s.controller.leader_election import LeaderElector
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.reconciler import Reconciler
from voxk8s.controller.resolve.process_pool import ProcessPool, warm_up_request
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.work_queue import WorkQueue

_log = logging.getLogger(__name__)
_LAST_ACTIONS = 8.0
_SILENCE = 600.0
"""Seconds without a sign from a watch (the API server sends one a minute) that mean it is dead."""


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Operator:
    """Runs until it is told to stop, or the lease is lost."""

    def __init__(self, kube: KubeClient, config: Config) -> None:
        """Join the parts; nothing starts yet."""
        self._kube = kube
        self._config = config
        self._queue = WorkQueue(time.monotonic)
        self._state = ClusterState(self._queue.add, self._gone)
        self._pool = ProcessPool(
            config.resolvers, config.resolver_memory, _default_warm_up_request(config)
        )
        self._resolver = Resolver(self._pool, utc_now)
        self._children = Children(kube, config, self._state)
        self._recorder = EventRecorder(kube, config.identity, utc_now)
        self._metrics = Metrics()
        actor = ActionExecutor(
            kube, config, self._state, self._resolver, self._children, self._recorder
        )
        self._reconciler = Reconciler(
            self._queue, self._state, self._resolver, self._children, actor, self._metrics, utc_now
        )
        self._election = LeaderElector(
            kube,
            config.lease_name,
            config.defaults.operator_namespace,
            config.identity,
            time.monotonic,
            utc_now,
        )
        self._leading = not config.leader_election
        self._following: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._metrics.watch(
            phases=self._phases,
            queued=lambda: len(self._queue),
            resolving=lambda: self._resolver.backlog,
            leading=lambda: self._leading,
        )

    async def run(self, stop: asyncio.Event) -> bool:
        """Work until `stop`; False if something broke and the process should be restarted."""
        servers = [
            await serve_health(self, self._config.health_port),
            await serve_metrics(self._metrics, self._config.metrics_port),
        ]
        self._following = asyncio.create_task(
            self._state.run(self._kube, self._config.namespaces, time.monotonic)
        )
        self._warming = asyncio.create_task(self._pool.warm_up())
        leading = asyncio.create_task(self._lead())
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {leading, stopped, self._following}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done - {stopped}:
                if task.exception() is not None:
                    _log.error("the operator broke", exc_info=task.exception())
            return stopped in done
        finally:
            await self._wind_down(leading, stopped)
            for server in servers:
                await server.cleanup()

    def liveness_error(self) -> str:
        """Say why the operator should be restarted: a watch that ended or fell silent."""
        if self._following is not None and self._following.done():
            return "the watches have ended"
        now = time.monotonic()
        for informer in self._state.informers:
            if informer.synced.is_set() and now - informer.last_contact > _SILENCE:
                return f"the watch of {informer.resource.plural} is silent"
        return ""

    def readiness_error(self) -> str:
        """Say why the operator cannot be counted on: it does not know the cluster, or is cold.

        A standby is ready, too: it takes over at once.
        """
        if not self._state.synced:
            return "the caches are not synced yet"
        if self._warming is None or not self._warming.done():
            return "the processes that look plans up are not ready yet"
        return ""

    async def _lead(self) -> None:
        """Act once we may, until the lease is lost or the queue is closed."""
        await self._state.wait_for_sync()
        if not self._config.leader_election:
            await self._act()
            return
        await self._election.acquire()
        self._leading = True
        keeping = asyncio.create_task(self._election.keep())
        acting = asyncio.create_task(self._act())
        try:
            await asyncio.wait({keeping, acting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leading = False
            for task in (keeping, acting):
                task.cancel()
            await asyncio.gather(keeping, acting, return_exceptions=True)

    async def _act(self) -> None:
        """Work on WorkPlans until the queue is closed."""
        async with asyncio.TaskGroup() as tasks:
            tidying = tasks.create_task(cleanup_orphans(self._kube, self._state, utc_now))
            await self._reconciler.run(self._config.workers, self._config.resync_seconds)
            tidying.cancel()

    async def _wind_down(self, leading: asyncio.Task[None], stopped: asyncio.Task[bool]) -> None:
        """Finish what is being done, give the lease up, and end everything."""
        self._queue.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ACTIONS):
                await self._queue.drained()
                await self._recorder.flush()
        # Whoever renews the lease must have ended before it is given up: he would take it back.
        await _end(leading)
        await self._election.release()
        await _end(stopped, self._following, self._warming)
        await self._resolver.close()

    def _gone(self, workplan: WorkPlanResource) -> None:
        self._reconciler.gone(workplan)

    def _phases(self) -> list[str]:
        return [plan.status.phase or "Unseen" for _, plan in self._state.workplans.items()]


async def _end(*tasks: asyncio.Task[Any] | None) -> None:
    known = [task for task in tasks if task is not None]
    for task in known:
        task.cancel()
    await asyncio.gather(*known, return_exceptions=True)


def _default_warm_up_request(config: Config) -> ResolveRequest | None:
    store = config.store
    return warm_up_request(store.url, store.options) if store.url else None
