"""The operator as a whole: every replica runs the informers, the leader reconciles."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.act.namespace_quotas import NamespaceQuotas
from voxk8s.controller.act.orphans import cleanup_orphans, delete_autoscalers
from voxk8s.controller.act.quota_writer import QuotaWriter
from voxk8s.controller.act.run_credentials import RunCredentials
from voxk8s.controller.act.status_writer import StatusWriter
from voxk8s.controller.config import Config
from voxk8s.controller.decide.phase import Phase
from voxk8s.controller.health import serve_health, serve_metrics
from voxk8s.controller.leader_election import LeaderElector
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.reconciler import Reconciler
from voxk8s.controller.replica_identity import ReplicaIdentity
from voxk8s.controller.resolve.process_pool import (
    WARM_UP_TIMEOUT,
    ProcessPool,
    warm_up_request,
)
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import WorkQueue
from voxk8s.errors import Voxk8sError
from voxk8s.kernels import registry

_log = logging.getLogger(__name__)
_PHASES = frozenset(Phase)
_DRAIN_SECONDS = 8.0
_SYNC_SECONDS = 15.0
"""Time that the informers get before this replica competes for the lease."""
_WATCH_TIMEOUT = 600.0
"""Seconds without a message after which a watch is dead: bookmarks come about once a minute."""


def _seconds() -> float:
    """Return the seconds since the machine was started, those while it was suspended included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Operator:
    """Runs until it is stopped, or loses the lease."""

    def __init__(self, kube: KubeClient, config: Config) -> None:
        """Create and connect the parts; `run` starts them."""
        self._config = config
        self._queue = WorkQueue(time.monotonic)
        self._state = ClusterState(self._queue.add, self._forget, kueue=config.kueue)
        self._elector = LeaderElector(
            kube,
            config.lease_name,
            config.defaults.operator_namespace,
            ReplicaIdentity.of_this_process(config.identity, config.pod_uid),
            _seconds,
            kube.server_clock.now,
        )
        # Only this client writes, and only while this replica leads; the elector has its own.
        self._kube = kube = kube.guarded(self._elector.check) if config.leader_election else kube
        now = kube.server_clock.now
        self._pool = ProcessPool(config.resolvers, config.resolver_memory)
        self._resolver = Resolver(self._pool, now)
        self._recorder = EventRecorder(kube, config.identity, now)
        self._metrics = Metrics(lambda: registry().names())
        self._credentials = RunCredentials(
            kube, config.store, now, users=self._users, namespaces=config.namespaces
        )
        self._quotas = NamespaceQuotas(kube, self._state, config.defaults.policy.quota)
        children = Children(kube, config, self._state, now=now, credentials=self._credentials)
        executor = ActionExecutor(
            kube,
            config,
            self._state,
            self._resolver,
            children,
            StatusWriter(kube, self._state),
            self._recorder,
            QuotaWriter(kube, self._state, now),
        )
        self._reconciler = Reconciler(
            kube,
            self._queue,
            self._state,
            self._resolver,
            executor,
            self._metrics,
            now,
            StartQueue(config.limits, self._queue.add),
        )
        self._leading = not config.leader_election
        self._background: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._warming_up: asyncio.Task[None] | None = None
        self._metrics.add_gauges(
            phases=self._phases,
            queue_length=lambda: len(self._queue),
            resolve_backlog=lambda: self._resolver.backlog,
            leading=lambda: self._leading,
        )

    def _users(self) -> set[str]:
        return {key.namespace or "" for key, _ in self._state.workplans.items()}

    async def run(self, stop: asyncio.Event) -> bool:
        """Run until `stop`; False if something failed and the process should be restarted."""
        servers = [
            await serve_health(self, self._config.health_port),
            await serve_metrics(self._metrics, self._config.metrics_port),
        ]
        self._watching = asyncio.create_task(
            self._state.run(self._kube, self._config.namespaces, time.monotonic)
        )
        self._warming_up = asyncio.create_task(self._warm_up())
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
            if informer.synced and now - informer.last_contact > _WATCH_TIMEOUT:
                return f"the watch of {informer.resource.plural} received nothing for too long"
        return ""

    def readiness_error(self) -> str:
        """Return why the operator is not ready; empty if it is.

        A replica that does not lead is ready, too: it takes over without delay.
        """
        error = self._state.sync_error()
        if error:
            return f"the informers are not synced yet: {error}"
        if self._warming_up is None or not self._warming_up.done():
            return "the processes that resolve plans are not warm yet"
        return ""

    async def _warm_up(self) -> None:
        """Start the processes that resolve plans, with credentials as look-ups have them."""
        url = self._config.store.url
        if url is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WARM_UP_TIMEOUT):
                    found = await self._credentials.warm_up_options()
                    self._pool.warm_up_request = warm_up_request(url, *found) if found else None
        await self._pool.warm_up()

    async def _lead(self) -> None:
        """Reconcile while this replica leads; ends when the lease is lost or the queue closed."""
        # Those that cannot be listed must not keep all others waiting.
        await self._state.wait_for_sync(_SYNC_SECONDS)
        if not self._config.leader_election:
            await self._reconcile()
            return
        self._elector.identity.announce(self._config.termination_log)
        await self._elector.acquire()
        self._leading = True
        renewing = asyncio.create_task(self._elector.renew())
        reconciling = asyncio.create_task(self._reconcile())
        try:
            await asyncio.wait({renewing, reconciling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leading = False
            await _cancel(renewing, reconciling, *self._background)

    async def _reconcile(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            cleanup = tasks.create_task(
                cleanup_orphans(self._kube, self._state, self._kube.server_clock.now)
            )
            renewal = tasks.create_task(self._credentials.keep_fresh())
            quotas = tasks.create_task(self._quotas.keep())
            await self._reconciler.run(self._config.workers, self._config.resync_seconds)
            cleanup.cancel()
            renewal.cancel()
            quotas.cancel()

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

    def _forget(self, workplan: WorkPlanResource) -> None:
        """Drop what is known of a deleted WorkPlan, and delete its autoscaler in time."""
        self._reconciler.forget(workplan)
        if self._leading:
            task = asyncio.create_task(self._delete_autoscalers(workplan))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _delete_autoscalers(self, workplan: WorkPlanResource) -> None:
        try:
            await delete_autoscalers(self._kube, self._state, workplan)
        except Voxk8sError as error:
            _log.info("the autoscaler of a deleted WorkPlan is left to Kubernetes: %s", error)

    def _phases(self) -> list[str]:
        phases = (plan.status.phase or "Unseen" for _, plan in self._state.workplans.items())
        # A runner can write any other text there.
        return [phase if phase in _PHASES else "Unseen" for phase in phases]


async def _cancel(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait for their end."""
    existing = [task for task in tasks if task is not None]
    for task in existing:
        task.cancel()
    await asyncio.gather(*existing, return_exceptions=True)
