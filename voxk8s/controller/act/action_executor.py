"""Carries decided actions out, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import API_VERSION, KIND, MANAGER_OPERATOR, MANAGER_RUNNER
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.config import Config
from voxk8s.controller.decide import actions
from voxk8s.controller.decide.actions import Action
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolve_request import make_request
from voxk8s.controller.resolve.resolver import Resolver


@dataclass(frozen=True, slots=True)
class ActionExecutor:
    """Dispatches each action to the part of the operator that carries it out."""

    kube: KubeClient
    config: Config
    state: ClusterState
    resolver: Resolver
    children: Children
    recorder: EventRecorder

    async def execute(
        self, observed: Observed, actions: tuple[Action, ...], requeue: Callable[[], None]
    ) -> bool:
        """Carry actions out; return False if the API server rejected one, which is retried later.

        `requeue` is called when the plan is resolved. Other errors of the API server are raised:
        the remaining actions are decided anew from a new observation.
        """
        accepted = True
        for action in actions:
            accepted &= await self._execute(observed, action, requeue)
        return accepted

    async def _execute(
        self, observed: Observed, action: Action, requeue: Callable[[], None]
    ) -> bool:
        workplan = observed.workplan
        metadata = workplan.metadata
        match action:
            case actions.ResolvePlan():
                self.resolver.start(
                    metadata.uid,
                    workplan.spec.priority,
                    lambda: make_request(self.kube, self.config, workplan),
                    requeue,
                )
            case actions.ForgetPlan():
                self.resolver.forget(metadata.uid)
                self.children.forget(metadata.uid)
            case actions.CreateAccess():
                return await self.children.create_access(observed)
            case actions.CreateCluster():
                return await self.children.create_cluster(observed, action)
            case actions.CreateKeys():
                return await self.children.create_keys(observed)
            case actions.CreateRunner():
                return await self.children.create_runner(observed)
            case actions.ApplyAutoscaler():
                return await self.children.apply_autoscaler(observed, action)
            case actions.DeleteChild():
                await self.children.delete(observed, action)
            case actions.DeleteWorkPlan():
                await self.kube.delete(
                    WORK_PLANS, metadata.name, metadata.namespace, uid=metadata.uid
                )
            case actions.WriteRunnerStatus(part):
                await self._apply_status(workplan, part, MANAGER_RUNNER)
            case actions.WriteOperatorStatus(part):
                await self._apply_status(workplan, part, MANAGER_OPERATOR)
            case actions.EmitEvent():
                self.recorder.emit(workplan, action)
            case actions.RequeueAfter():
                pass  # The reconciler owns the queue.
            case _:
                assert_never(action)
        return True

    async def _apply_status(
        self, workplan: WorkPlanResource, part: dict[str, Any], manager: str
    ) -> None:
        """Apply one manager's part of the status; the uid protects a successor of the same name."""
        metadata = workplan.metadata
        written = await self.kube.apply(
            WORK_PLANS,
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": {
                    "name": metadata.name,
                    "namespace": metadata.namespace,
                    "uid": metadata.uid,
                },
                "status": part,
            },
            metadata.namespace,
            manager=manager,
            subresource="status",
        )
        self.state.workplans.upsert(written)
