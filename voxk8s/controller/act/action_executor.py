"""Carries out what was decided, in its order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, assert_never

from voxk8s import constants
from voxk8s.api import Source, WorkPlanResource, decode_resource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Forbidden, NotFound
from voxk8s.cluster.plan_source import SourceUnavailable, read_source
from voxk8s.cluster.resources import SECRETS, WORK_PLANS
from voxk8s.constants import (
    API_VERSION,
    INLINE_PLAN_BYTES,
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
from voxk8s.controller.resolve.resolution_state import Invalid
from voxk8s.controller.resolve.resolve_plan import Answer, ResolveRequest, TransientFailure
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.resolve.store_access import StoreAccess, own_options, store_access
from voxk8s.errors import InvalidPlan, InvalidUsage, StoreAccessDenied
from voxk8s.storage import StoreOptions

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
                    lambda: self._prepare(workplan),
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

    async def _prepare(self, workplan: WorkPlanResource) -> ResolveRequest | Answer:
        """Gather what a look-up needs from the cluster."""
        metadata = workplan.metadata
        if workplan.spec.cluster.pool_ref is not None:
            return Invalid(
                constants.REASON_POOL_UNAVAILABLE,
                "spec.cluster.poolRef: this version has no pools; leave it out to get a cluster"
                " for this WorkPlan alone.",
            )
        try:
            found = await self._kube.get(WORK_PLANS, metadata.name, metadata.namespace)
            source = decode_resource(found).spec.source
            document = await read_source(self._kube, metadata.namespace, source)
            if _is_inline(source) and document and len(document.data) > INLINE_PLAN_BYTES:
                return _too_large(len(document.data))
            access = store_access(workplan, self._config.store, self._config.defaults)
            options = await self._options(workplan, access)
        except NotFound:
            return TransientFailure(constants.REASON_SOURCE_UNAVAILABLE, "The WorkPlan is gone.")
        except SourceUnavailable as error:
            return TransientFailure(constants.REASON_SOURCE_UNAVAILABLE, str(error))
        except StoreAccessDenied as error:
            return TransientFailure(constants.REASON_STORE_ACCESS_DENIED, str(error))
        except InvalidPlan as error:
            return Invalid(constants.REASON_INVALID_PLAN, str(error))
        except InvalidUsage as error:
            return Invalid(constants.REASON_INVALID_PLAN, f"spec.store: {error}")
        spec = workplan.spec
        return ResolveRequest(
            document=document,
            url=source.url,
            digest=source.digest,
            parameters=dict(source.parameters) if source.parameters else None,
            cache=spec.cache,
            saves_below=spec.output.url if spec.output else None,
            store_url=access.target.url,
            options=options,
            run_folder=f"{metadata.namespace}/{metadata.name}/{metadata.uid}",
            prefixes=self._config.store.prefixes,
        )

    async def _options(
        self, workplan: WorkPlanResource, access: StoreAccess
    ) -> StoreOptions | None:
        """Give the credentials to look into the store with, or None where that is not allowed.

        Raises StoreAccessDenied while the Secret that the run's pods need is missing, whoever may
        look into the store: pods that wait for a Secret say so where nobody looks.
        """
        store = workplan.spec.store
        if store is None or access.own_secret is None:
            return self._config.store.options if access.open_to_operator else None
        namespace = workplan.metadata.namespace
        try:
            secret = await self._kube.get(SECRETS, access.own_secret, namespace)
        except Forbidden:
            return None
        except NotFound as error:
            raise StoreAccessDenied(
                f"Secret {access.own_secret} of spec.store is not in namespace {namespace}; the"
                " WorkPlan waits for it"
            ) from error
        options = own_options(store, secret)
        return options if access.open_to_operator else None


def _is_inline(source: Source) -> bool:
    return source.plan is not None or source.program is not None


def _too_large(size: int) -> Invalid:
    return Invalid(
        constants.REASON_PLAN_TOO_LARGE,
        f"The plan within the WorkPlan has {size} bytes, at most {INLINE_PLAN_BYTES} leave room for"
        " the status. Put it into a ConfigMap (source.configMapRef) or on S3 (source.url).",
    )
