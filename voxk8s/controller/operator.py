"""The operator as a whole: every replica runs the informers, the leader reconciles."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import Any

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
_DRAIN_SECONDS = 8.0
_WATCH_TIMEOUT = 600.0
"""Seconds without a message after which a watch is dead: bookmarks come about once a minute."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class Operator:
    """Runs until it is stopped, or loses the lease."""

    def __init__(self, kube: KubeClient, config: Config) -> None:
        """Create and connect the parts; `run` starts them."""
        self._kube = kube
        self._config = config
        self._queue = WorkQueue(time.monotonic)
        self._state = ClusterState(
            self._queue.add, lambda workplan: self._reconciler.forget(workplan)
        )
        self._pool = ProcessPool(
            config.resolvers, config.resolver_memory, _default_warm_up_request(config)
        )
        self._resolver = Resolver(self._pool, utc_now)
        self._recorder = EventRecorder(kube, config.identity, utc_now)
        self._metrics = Metrics()
        children = Children(kube, config, self._state)
        executor = ActionExecutor(
            kube, config, self._state, self._resolver, children, self._recorder
        )
        self._reconciler = Reconciler(
            self._queue, self._state, self._resolver, children, executor, self._metrics, utc_now
        )
        self._elector = LeaderElector(
            kube,
            config.lease_name,
            config.defaults.operator_namespace,
            config.identity,
            time.monotonic,
            utc_now,
        )
        self._leading = not config.leader_election
        self._watching: asyncio.Task[None] | None = None
        self._warming_up: asyncio.Task[None] | None = None
        self._metrics.add_gauges(
            phases=self._phases,
            queue_length=lambda: len(self._queue),
            resolve_backlog=lambda: self._resolver.backlog,
            leading=lambda: self._leading,
        )

    async def run(self, stop: asyncio.Event) -> bool:
        """Run until `stop`; False if something failed and the process should be restarted."""
        servers = [
            await serve_health(self, self._config.health_port),
            await serve_metrics(self._metrics, self._config.metrics_port),
        ]
        self._watching = asyncio.create_task(
            self._state.run(self._kube, self._config.namespaces, time.monotonic)
        )
        self._warming_up = asyncio.create_task(self._pool.warm_up())
        leading = asyncio.create_task(self._lead())
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {leading, stopped, self._watching}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done - {stopped}:
                if task.exception() is not None:
                    _log.error("the operator failed", exc_info=task.exception())
            return stopped in done
        finally:
            await self._shut_down(leading, stopped)
            for server in servers:
                await server.cleanup()

    def liveness_error(self) -> str:
        """Return why the operator should be restarted: a dead watch; empty if it is alive."""
        if self._watching is not None and self._watching.done():
            return "the watches have ended"
        now = time.monotonic()
        for informer in self._state.informers:
            if informer.synced.is_set() and now - informer.last_contact > _WATCH_TIMEOUT:
                return f"the watch of {informer.resource.plural} received nothing for too long"
        return ""

    def readiness_error(self) -> str:
        """Return why the operator is not ready; empty if it is.

        A replica that does not lead is ready, too: it takes over without delay.
        """
        if not self._state.synced:
            return "the informers are not synced yet"
        if self._warming_up is None or not self._warming_up.done():
            return "the processes that resolve plans are not warm yet"
        return ""

    async def _lead(self) -> None:
        """Reconcile while this replica leads; ends when the lease is lost or the queue closed."""
        await self._state.wait_for_sync()
        if not self._config.leader_election:
            await self._reconcile()
            return
        await self._elector.acquire()
        self._leading = True
        renewing = asyncio.create_task(self._elector.renew())
        reconciling = asyncio.create_task(self._reconcile())
        try:
            await asyncio.wait({renewing, reconciling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leading = False
            await _cancel(renewing, reconciling)

    async def _reconcile(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            cleanup = tasks.create_task(cleanup_orphans(self._kube, self._state, utc_now))
            await self._reconciler.run(self._config.workers, self._config.resync_seconds)
            cleanup.cancel()

    async def _shut_down(self, leading: asyncio.Task[None], stopped: asyncio.Task[bool]) -> None:
        """Finish reconciliations that are under way, release the lease, and end everything."""
        self._queue.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._queue.drained()
                await self._recorder.flush()
        # Renewal must have ended before the lease is released: it would take it back.
        await _cancel(leading)
        await self._elector.release()
        await _cancel(stopped, self._watching, self._warming_up)
        await self._resolver.close()

    def _phases(self) -> list[str]:
        return [plan.status.phase or "Unseen" for _, plan in self._state.workplans.items()]


async def _cancel(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait for their end."""
    existing = [task for task in tasks if task is not None]
    for task in existing:
        task.cancel()
    await asyncio.gather(*existing, return_exceptions=True)


def _default_warm_up_request(config: Config) -> ResolveRequest | None:
    store = config.store
    return warm_up_request(store.url, store.options) if store.url else None
