"""The loop: a name from the queue, an observation, a decision, its actions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from voxk8s.api import WorkPlanResource
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.decide.actions import Action, EmitEvent, RequeueAfter
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observe import observe
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.work_queue import ObjectKey, QueueClosed, WorkQueue
from voxk8s.errors import TransientError

_log = logging.getLogger(__name__)


class Reconciler:
    """Reconciles WorkPlans, several side by side, each by one worker at a time."""

    def __init__(
        self,
        queue: WorkQueue,
        state: ClusterState,
        resolver: Resolver,
        children: Children,
        actor: ActionExecutor,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """Join the parts of the operator."""
        self._queue = queue
        self._state = state
        self._resolver = resolver
        self._children = children
        self._actor = actor
        self._metrics = metrics
        self._now = now

    async def run(self, workers: int, resync_seconds: float) -> None:
        """Reconcile everything, and whatever changes, until the queue is closed."""
        for key in self._state.workplan_keys():
            self._queue.add(key)
        async with asyncio.TaskGroup() as tasks:
            resync = tasks.create_task(self._resync(resync_seconds))
            working = [tasks.create_task(self._work()) for _ in range(workers)]
            await asyncio.gather(*working)
            resync.cancel()

    async def reconcile(self, key: ObjectKey) -> None:
        """Bring one WorkPlan further; raises what the API server could not be asked for."""
        workplan = self._state.workplans.get(*key)
        if workplan is None:
            self._queue.forget(key)
            return
        uid = workplan.metadata.uid
        observed = observe(
            workplan, self._state, self._resolver.state(uid), self._children.create_errors(uid)
        )
        actions = decide(observed, self._now())
        self._tell(key, actions)
        well = await self._actor.act(observed, actions, wake=lambda: self._queue.add(key))
        if well:
            self._queue.forget_failures(key)
        else:
            self._queue.add_failed(key)
            self._queue.add(key)  # tell what was refused, then wait
        for action in actions:
            if isinstance(action, RequeueAfter):
                self._queue.add_after(key, action.seconds)

    def gone(self, workplan: WorkPlanResource) -> None:
        """Drop what is remembered of a WorkPlan that was deleted."""
        self._resolver.forget(workplan.metadata.uid)
        self._children.forget(workplan.metadata.uid)

    async def _work(self) -> None:
        while True:
            try:
                key = await self._queue.get()
            except QueueClosed:
                return
            try:
                with self._metrics.reconciling():
                    await self.reconcile(key)
            except TransientError as error:
                seconds = self._queue.add_failed(key)
                _log.info("WorkPlan %s: %s; next try in %.1f s", key, error, seconds)
                self._metrics.failed()
            except Exception:  # noqa: BLE001 - one WorkPlan must not stop the others
                seconds = self._queue.add_failed(key)
                _log.exception("WorkPlan %s: next try in %.1f s", key, seconds)
                self._metrics.failed()
            finally:
                self._queue.done(key)

    async def _resync(self, seconds: float) -> None:
        """Look at everything now and then: no watch is trusted for ever."""
        while True:
            await asyncio.sleep(seconds)
            for key in self._state.workplan_keys():
                self._queue.add(key)

    def _tell(self, key: ObjectKey, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, EmitEvent):
                _log.info("WorkPlan %s: %s: %s", key, action.reason, action.message)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("WorkPlan %s: %s", key, ", ".join(type(a).__name__ for a in actions))
