"""The control loop: a key from the work queue, an observation, a decision, its actions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.decide.actions import Action, EmitEvent, RequeueAfter
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.decide.policies.completion import recorded_end
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observe import observe
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.work_queue import ObjectKey, QueueClosed, WorkQueue
from voxk8s.errors import TransientError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles WorkPlans: several at a time, each by one worker at a time."""

    queue: WorkQueue
    state: ClusterState
    resolver: Resolver
    children: Children
    executor: ActionExecutor
    metrics: Metrics
    now: Callable[[], datetime]
    counted: set[str] = field(default_factory=set)
    """The WorkPlans, by uid, whose ends the metrics have."""

    async def run(self, workers: int, resync_seconds: float) -> None:
        """Reconcile all WorkPlans, and then those that change, until the queue is closed."""
        self._enqueue_all()
        async with asyncio.TaskGroup() as tasks:
            resync = tasks.create_task(self._resync(resync_seconds))
            running = [tasks.create_task(self._worker()) for _ in range(workers)]
            await asyncio.gather(*running)
            resync.cancel()

    async def reconcile(self, key: ObjectKey) -> None:
        """Reconcile one WorkPlan; raises the errors of the API server that are worth a retry."""
        workplan = self.state.workplans.get(*key)
        if workplan is None:
            self.queue.forget(key)
            return
        uid = workplan.metadata.uid
        observed = observe(
            workplan,
            self.state,
            self.resolver.state(uid),
            self.children.create_errors(uid),
            self.children.cluster_with_keys(uid),
        )
        actions = decide(observed, self.now())
        self._log_actions(key, actions)
        accepted = await self.executor.execute(
            observed, actions, requeue=lambda: self.queue.add(key)
        )
        if accepted:
            self._count_end(observed)
            self.queue.forget_failures(key)
        else:
            self.queue.add_failed(key)
            self.queue.add(key)  # At once, to report what was rejected.
        for action in actions:
            if isinstance(action, RequeueAfter):
                self.queue.add_after(key, action.seconds)

    def forget(self, workplan: WorkPlanResource) -> None:
        """Drop what is kept in memory about a deleted WorkPlan."""
        self.resolver.forget(workplan.metadata.uid)
        self.children.forget(workplan.metadata.uid)
        self.counted.discard(workplan.metadata.uid)

    def _count_end(self, observed: Observed) -> None:
        """Add a run to the metrics when its end is written, and not when the operator restarts."""
        outcome, uid = observed.workplan.status.outcome, observed.workplan.metadata.uid
        if outcome is None or uid in self.counted or recorded_end(observed) is not None:
            return
        self.counted.add(uid)
        self.metrics.count_run(outcome)

    async def _worker(self) -> None:
        while True:
            try:
                key = await self.queue.get()
            except QueueClosed:
                return
            try:
                with self.metrics.reconciling():
                    await self.reconcile(key)
            except TransientError as error:
                seconds = self.queue.add_failed(key)
                _log.info("WorkPlan %s: %s; retrying in %.1f s", key, error, seconds)
                self.metrics.count_error()
            except Exception:  # noqa: BLE001 - one WorkPlan must not stop the others
                seconds = self.queue.add_failed(key)
                _log.exception("WorkPlan %s: retrying in %.1f s", key, seconds)
                self.metrics.count_error()
            finally:
                self.queue.done(key)

    async def _resync(self, seconds: float) -> None:
        """Enqueue all WorkPlans periodically, in case a watch missed a change."""
        while True:
            await asyncio.sleep(seconds)
            self._enqueue_all()

    def _enqueue_all(self) -> None:
        for key in self.state.workplan_keys():
            self.queue.add(key)

    def _log_actions(self, key: ObjectKey, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, EmitEvent):
                _log.info("WorkPlan %s: %s: %s", key, action.reason, action.message)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("WorkPlan %s: %s", key, ", ".join(type(a).__name__ for a in actions))
