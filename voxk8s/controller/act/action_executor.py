"""Carries out what was decided, in its order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, assert_never

from voxk8s.api import WorkPlanResource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import (
    API_VERSION,
    KIND,
    MANAGER_OPERATOR,
    MANAGER_RUNNER,
)
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.config import Config
from voxk8s.controller.decide.actions import (
    Action,
    ApplyAutoscaler,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    DeleteChild,
    DeleteWorkPlan,
    EmitEvent,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
    WriteOperatorStatus,
    WriteRunnerStatus,
)
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolve_request import make_request
from voxk8s.controller.resolve.resolver import Resolver

_log = logging.getLogger(__name__)


class ActionExecutor:
    """Does things to the cluster."""

    def __init__(
        self,
        kube: KubeClient,
        config: Config,
        state: ClusterState,
        resolver: Resolver,
        children: Children,
        recorder: EventRecorder,
    ) -> None:
        """Act by `kube` and the parts given."""
        self._kube = kube
        self._config = config
        self._state = state
        self._resolver = resolver
        self._children = children
        self._recorder = recorder

    async def act(
        self, observed: Observed, actions: tuple[Action, ...], wake: Callable[[], None]
    ) -> bool:
        """Carry actions out; False if something was refused and is to be tried again later.

        `wake` is called when the plan has been looked up. What the API server does not answer ends
        the attempt: the caller tries again from a new observation.
        """
        well = True
        for action in actions:
            well &= await self._do(observed, action, wake)
        return well

    async def _do(self, observed: Observed, action: Action, wake: Callable[[], None]) -> bool:
        workplan = observed.workplan
        metadata = workplan.metadata
        match action:
            case ResolvePlan():
                self._resolver.start(
                    metadata.uid,
                    workplan.spec.priority,
                    lambda: make_request(self._kube, self._config, workplan),
                    wake,
                )
            case ForgetPlan():
                self._resolver.forget(metadata.uid)
                self._children.forget(metadata.uid)
            case CreateAccess():
                return await self._children.create_access(observed)
            case CreateCluster():
                return await self._children.create_cluster(observed, action)
            case CreateRunner():
                return await self._children.create_runner(observed)
            case ApplyAutoscaler():
                return await self._children.apply_autoscaler(observed, action)
            case DeleteChild():
                await self._children.delete(observed, action)
            case DeleteWorkPlan():
                await self._kube.delete(
                    WORK_PLANS, metadata.name, metadata.namespace, uid=metadata.uid
                )
            case WriteRunnerStatus(part):
                await self._write(workplan, part, MANAGER_RUNNER)
            case WriteOperatorStatus(part):
                await self._write(workplan, part, MANAGER_OPERATOR)
            case EmitEvent():
                self._recorder.record(workplan, action)
            case RequeueAfter():
                pass
            case _:
                assert_never(action)
        return True

    async def _write(self, workplan: WorkPlanResource, part: dict[str, Any], manager: str) -> None:
        """Write one manager's part of the status; the uid keeps it off a successor's."""
        metadata = workplan.metadata
        written = await self._kube.apply(
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
        self._state.workplans.upsert(written)
