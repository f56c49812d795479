"""The control loop: a key from the work queue, an observation, a decision, its actions."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import ApiError, NotFound
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.decide.actions import (
    Action,
    CreateCluster,
    EmitEvent,
    RequeueAfter,
    RestartRun,
    needs_live_read,
)
from voxk8s.controller.decide.decide import decide, report_obstacle
from voxk8s.controller.decide.policies import rerun
from voxk8s.controller.decide.policies.completion import recorded_end
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.live_observation import read_live
from voxk8s.controller.observe.observe import observe
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolve_request import basis_of
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import ObjectKey, QueueClosed, WorkQueue
from voxk8s.errors import TransientError

_log = logging.getLogger(__name__)
_STALE_SECONDS = 5.0
"""Time until a WorkPlan is looked at again whose deletion the watch has not reported yet."""


@dataclass(slots=True)
class Patience:
    """A time that begins when it is first asked for."""

    seconds: float
    _began: float | None = None

    def over(self, now: float) -> bool:
        """Whether the time is over."""
        if self._began is None:
            self._began = now
        return now - self._began >= self.seconds


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles WorkPlans: several at a time, each by one worker at a time.

    An action that deletes something or ends a run is only carried out if it is also decided from
    what the API server has at that moment; so is one that creates something for a WorkPlan that was
    neither written nor read since this operator leads.
    """

    kube: KubeClient
    queue: WorkQueue
    state: ClusterState
    resolver: Resolver
    executor: ActionExecutor
    metrics: Metrics
    now: Callable[[], datetime]
    starts: StartQueue
    patience: Patience = field(default_factory=lambda: Patience(10.0))
    counted: set[str] = field(default_factory=set)
    """The WorkPlans, by uid, whose ends the metrics have."""

    async def run(self, workers: int, resync_seconds: float) -> None:
        """Reconcile all WorkPlans, and then those that change, until the queue is closed."""
        self._note_all()
        self.starts.open()
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
        if workplan.spec.is_managed_by_another:
            return
        try:
            await self._reconcile(key, workplan)
        finally:
            if self._is_gone(workplan):
                self.forget(workplan)  # It was deleted meanwhile: what was noted since would stay.

    async def _reconcile(self, key: ObjectKey, workplan: WorkPlanResource) -> None:
        if self.state.sync_error(key.namespace) and not self.patience.over(self.queue.clock()):
            # It is queued when the lists are there: a moment is not worth a report.
            self.queue.add_after(key, self.patience.seconds)
            return
        uid, status = workplan.metadata.uid, self.executor.status
        await status.catch_up(workplan)
        latest = self._latest(workplan)
        if latest is None:
            return  # It was deleted while it was read.
        workplan = latest
        children = self.executor.children
        before = self.executor.problems(uid)
        observed = self._observe(workplan, self.state)
        children.note_existing(observed)
        actions = decide(observed, self.now())
        if children.waits_for_cluster(uid):
            # Reading everything first would only find that it is not due.
            actions = tuple(each for each in actions if not isinstance(each, CreateCluster))
        if any(needs_live_read(each, current=status.is_current(uid)) for each in actions):
            live = await read_live(self.kube, workplan, self.state)
            found = live.workplans.get(*key) if live is not None else None
            if live is None or found is None:
                self.queue.add_after(key, _STALE_SECONDS)  # The watch is behind.
                return
            if self._is_gone(workplan):
                return  # It was deleted while it was read.
            status.note_current(uid)
            observed = self._observe(found, live)
            actions = decide(observed, self.now())
        self._log_actions(key, actions)
        await self.executor.execute(observed, actions, requeue=lambda: self.queue.add(key))
        self.queue.forget_failures(key)
        if self.executor.problems(uid)[0] and not self._is_gone(workplan):
            self._observe(observed.workplan, self.state)  # It may have to leave its place.
        self._count_end(observed)
        if any(isinstance(action, RestartRun) for action in actions):
            self.counted.discard(uid)
        if self.executor.problems(uid) != before:
            self.queue.add(key)  # At once, to report what was rejected.
        retry = self.executor.retry_in(uid)
        if retry is not None:
            self.queue.add_after(key, max(0.05, retry))
        for action in actions:
            if isinstance(action, RequeueAfter):
                self.queue.add_after(key, action.seconds)

    def forget(self, workplan: WorkPlanResource) -> None:
        """Drop what is kept in memory about a deleted WorkPlan."""
        self.executor.forget(workplan.metadata.uid)
        self.starts.forget(workplan.metadata.uid)
        self.counted.discard(workplan.metadata.uid)
        # Another one of its name has not failed yet.
        self.queue.forget_failures(ObjectKey(workplan.metadata.namespace, workplan.metadata.name))

    def _is_gone(self, workplan: WorkPlanResource) -> bool:
        """Whether the informer has another WorkPlan of that name, or none."""
        return self._latest(workplan) is None

    def _latest(self, workplan: WorkPlanResource) -> WorkPlanResource | None:
        """Return a WorkPlan as the informer has it; None if it is gone."""
        metadata = workplan.metadata
        found = self.state.workplans.get(metadata.namespace, metadata.name)
        return found if found is not None and found.metadata.uid == metadata.uid else None

    def _observe(self, workplan: WorkPlanResource, state: ClusterState) -> Observed:
        uid = workplan.metadata.uid
        create_errors, status_error = self.executor.problems(uid)
        observed = observe(
            workplan,
            state,
            self.resolver.state(uid, basis_of(workplan)),
            create_errors,
            status_error,
            self.executor.children.not_allowed(workplan),
            self.executor.status.wait(uid),
            self.executor.children.retry_in(uid) or 0.0,
        )
        return dataclasses.replace(
            observed,
            queued=self.starts.note(observed, self.now()),
            gives_way=self.starts.gives_way(uid),
            crowded=self.resolver.is_crowded(workplan.metadata.namespace),
        )

    def _count_end(self, observed: Observed) -> None:
        """Add a run to the metrics when its end is written, and not when the operator restarts."""
        outcome, uid = observed.workplan.status.outcome, observed.workplan.metadata.uid
        if outcome is None or uid in self.counted or recorded_end(observed) is not None:
            return
        if rerun.is_under_way(observed):
            return  # The outcome is that of the run before.
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
            except (TransientError, NotFound) as error:
                # What is written to may have been deleted since it was seen.
                asked = error.retry_after if isinstance(error, ApiError) else 0.0
                seconds = self.queue.add_failed(key, asked)
                _log.info("WorkPlan %s: %s; retrying in %.1f s", key, error, seconds)
                self.metrics.count_error()
            except Exception as error:  # noqa: BLE001 - one WorkPlan must not stop the others
                seconds = self.queue.add_failed(key)
                _log.exception("WorkPlan %s: retrying in %.1f s", key, seconds)
                self.metrics.count_error()
                await self._report(key, error)
            finally:
                self.queue.done(key)

    async def _report(self, key: ObjectKey, error: Exception) -> None:
        """Report a fault of the operator in the status, as far as that is possible."""
        workplan = self.state.workplans.get(*key)
        if workplan is None:
            return
        message = f"The operator failed: {type(error).__name__}: {error}; see its log."
        try:
            observed = self._observe(workplan, self.state)
            actions = report_obstacle(
                observed, constants.REASON_INTERNAL_ERROR, message, self.now()
            )
            await self.executor.execute(observed, tuple(actions), requeue=lambda: None)
        except Exception:  # noqa: BLE001 - it was logged already
            _log.debug("WorkPlan %s: the failure could not be reported", key, exc_info=True)

    async def _resync(self, seconds: float) -> None:
        """Enqueue all WorkPlans periodically, in case a watch missed a change."""
        while True:
            await asyncio.sleep(seconds)
            self._enqueue_all()

    def _note_all(self) -> None:
        """Take in who has a cluster and who waits, before any other one may start."""
        for key in self.state.workplan_keys():
            workplan = self.state.workplans.get(*key)
            if workplan is None:
                continue
            try:
                self._observe(workplan, self.state)
            except Exception:  # noqa: BLE001 - no WorkPlan may keep every leader from starting
                _log.exception("WorkPlan %s: it is not taken in at the start", key)

    def _enqueue_all(self) -> None:
        for key in self.state.workplan_keys():
            self.queue.add(key)

    def _log_actions(self, key: ObjectKey, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, EmitEvent):
                _log.info("WorkPlan %s: %s: %s", key, action.reason, action.message)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("WorkPlan %s: %s", key, ", ".join(type(a).__name__ for a in actions))
