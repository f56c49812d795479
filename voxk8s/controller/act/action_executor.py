"""Carries decided actions out, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import MANAGER_OPERATOR, MANAGER_RUNNER, REASON_STATUS_REJECTED
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.act.quota_writer import QuotaWriter
from voxk8s.controller.act.status_writer import StatusWriter
from voxk8s.controller.config import Config
from voxk8s.controller.decide import actions
from voxk8s.controller.decide.actions import Action, DeferStatus, WriteOperatorStatus
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed, Problem
from voxk8s.controller.observe.workplan_codec import kept_source
from voxk8s.controller.resolve.resolve_request import basis_of, make_request
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.resolve.store_access import LookUpOptions


@dataclass(frozen=True, slots=True)
class ActionExecutor:
    """Dispatches each action to the part of the operator that carries it out."""

    kube: KubeClient
    config: Config
    state: ClusterState
    resolver: Resolver
    children: Children
    status: StatusWriter
    recorder: EventRecorder
    quota: QuotaWriter

    async def execute(
        self, observed: Observed, actions: tuple[Action, ...], requeue: Callable[[], None]
    ) -> None:
        """Carry actions out until the status is rejected; children that are rejected stop nothing.

        `requeue` is called when the plan is resolved. Other errors of the API server are raised:
        the remaining actions are decided anew from a new observation.
        """
        # A write ends the wait when it succeeds: after a conflict the change would wait once more.
        if not any(isinstance(action, DeferStatus | WriteOperatorStatus) for action in actions):
            self.status.end_wait(observed.workplan.metadata.uid)
        for action in actions:
            if not await self._execute(observed, action, requeue):
                self._tell(observed.workplan)
                return

    def _tell(self, workplan: WorkPlanResource) -> None:
        """Say in an event what no status can say, as of a WorkPlan that leaves no room for one."""
        message = self.status.untold(workplan.metadata.uid)
        if message:
            text = f"The API server rejected the status: {message}"
            self.recorder.emit(workplan, actions.EmitEvent(True, REASON_STATUS_REJECTED, text))

    def problems(self, uid: str) -> tuple[tuple[Problem, ...], str]:
        """Return why children could not be created, and why the status was rejected."""
        return self.children.create_errors(uid), self.status.error(uid)

    def retry_in(self, uid: str) -> float | None:
        """Return the seconds until something that was rejected is tried again; None without it."""
        times = (self.children.retry_in(uid), self.status.retry_in(uid))
        return min((time for time in times if time is not None), default=None)

    def forget(self, uid: str) -> None:
        """Drop what is known of a WorkPlan."""
        self.resolver.forget(uid)
        self.children.forget(uid)
        self.status.forget(uid)

    async def _look_up_options(self, namespace: str) -> LookUpOptions:
        credentials = self.children.access.credentials
        if credentials is None:
            return LookUpOptions(self.config.store.options, of_domain=False)
        return await credentials.look_up_options(namespace)

    async def _execute(
        self, observed: Observed, action: Action, requeue: Callable[[], None]
    ) -> bool:
        workplan = observed.workplan
        metadata = workplan.metadata
        match action:
            case actions.ResolvePlan():
                self.resolver.start(
                    metadata.uid,
                    metadata.namespace,
                    workplan.spec.priority,
                    lambda: make_request(
                        self.kube,
                        self.config,
                        workplan,
                        self._look_up_options,
                        kept_source(workplan),
                    ),
                    requeue,
                    basis_of(workplan),
                )
            case actions.ForgetPlan():
                self.resolver.forget(metadata.uid)
                self.children.forget(metadata.uid)
            case actions.CreateAccess():
                await self.children.create_access(observed)
            case actions.CreateCluster():
                await self.children.create_cluster(observed, action)
            case actions.CreateWorkerGroup():
                await self.children.create_worker_group(observed, action)
            case actions.CreateRunner():
                await self.children.create_runner(observed)
            case actions.ApplyAutoscaler():
                await self.children.apply_autoscaler(observed, action)
            case actions.CreateWorkload():
                await self.children.create_workload(observed, action)
            case actions.RequeueWorkload():
                await self.quota.requeue(observed, action)
            case actions.ReleaseQuota(uid):
                await self.quota.release(observed, uid)
            case actions.ReportPodsReady(uid):
                await self.quota.report_pods_ready(observed, uid)
            case actions.DeleteChild():
                await self.children.delete(observed, action)
            case actions.DeleteWorkPlan():
                await self.kube.delete(
                    WORK_PLANS, metadata.name, metadata.namespace, uid=metadata.uid
                )
            case actions.WriteRunnerStatus(part):
                return await self.status.write(workplan, part, MANAGER_RUNNER)
            case actions.WriteOperatorStatus(part):
                return await self.status.write(workplan, part, MANAGER_OPERATOR)
            case actions.RestartRun(part):
                # The outcome must be gone first: it would end the new run.
                await self.status.remove_runner_part(workplan)
                return await self.status.write(workplan, part, MANAGER_OPERATOR)
            case actions.DeferStatus():
                self.status.defer(metadata.uid)
            case actions.EmitEvent():
                self.recorder.emit(workplan, action)
            case actions.RequeueAfter():
                pass  # The reconciler owns the queue.
            case _:
                assert_never(action)
        return True
