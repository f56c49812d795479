"""Creates and deletes the children of a run, and keeps the errors of the API server."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress
from typing import Final

from voxk8s import constants
from voxk8s.api.workplan import OwnerReference, WorkPlanResource
from voxk8s.cluster import kube_errors, resources
from voxk8s.cluster.dask_cluster import build_dask_autoscaler, build_dask_cluster
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kueue_workload import QueuePriority, build_workload, priority_class
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.pod_template import owned_by
from voxk8s.cluster.policy import Violation, violations
from voxk8s.cluster.rbac import (
    account_reference,
    build_compute_account,
    build_runner_account,
    build_runner_role,
)
from voxk8s.cluster.resources import (
    NETWORK_POLICIES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    ApiResource,
    resource_of,
)
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.cluster.tls import build_tls_secret, secret_name
from voxk8s.controller.act.run_credentials import RunCredentials
from voxk8s.controller.config import Config
from voxk8s.controller.decide.actions import (
    ApplyAutoscaler,
    ChildKind,
    CreateCluster,
    CreateWorkload,
    DeleteChild,
)
from voxk8s.controller.observe import parse_views
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed, Problem
from voxk8s.controller.resolve.store_access import StoreAccess, store_access
from voxk8s.controller.work_queue import Backoff
from voxk8s.errors import PermanentError, StoreAccessDenied, StoreUnreachable

_log = logging.getLogger(__name__)

_DELETION_MEMORY = 3.0
"""Seconds for which a deletion is not repeated: informers report it within that time."""
_ACCESS_MEMORY = 60.0
"""Seconds for which an account, role or policy that existed is not created again."""
_RESOURCES: Final[dict[ChildKind, ApiResource]] = {
    ChildKind.CLUSTER: resources.DASK_CLUSTERS,
    ChildKind.AUTOSCALER: resources.DASK_AUTOSCALERS,
    ChildKind.RUNNER: resources.JOBS,
    ChildKind.WORKER: resources.DEPLOYMENTS,
    ChildKind.ACCESS: resources.SERVICE_ACCOUNTS,
    ChildKind.WORKLOAD: resources.WORKLOADS,
}


_CHECKED: Final = frozenset(
    {SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, NETWORK_POLICIES, resources.WORKLOADS}
)
"""Resources of which an existing object is only taken for the run's if it has the right owner."""


@dataclass(slots=True)
class _Refusal:
    """Why a child could not be created, how often, and when to try again."""

    problem: Problem
    failures: int
    retry_at: float
    answered: bool
    """Whether the API server rejected it, rather than gave no answer."""


@dataclass(slots=True)
class Children:
    """Creates and deletes children; why one could not be created is kept by the WorkPlan's uid.

    A child that could not be created is not tried again before its own backoff is over, whatever
    happens meanwhile. Created objects are put into the informers of `state`.
    """

    kube: KubeClient
    config: Config
    state: ClusterState
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _deleted_at: dict[tuple[str, str, str], float] = field(default_factory=dict)
    credentials: RunCredentials | None = None
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, most=60.0))
    chance: Callable[[], float] = random.random
    _with_access: dict[str, str] = field(default_factory=dict)
    """The uids of the accounts of those WorkPlans that have all access they need, by their uid."""
    _refusals: dict[str, dict[str, _Refusal]] = field(default_factory=dict)
    _existed_at: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)
    """When objects were seen by a WorkPlan's uid; they are deleted with the account of that uid."""

    def create_errors(self, uid: str) -> tuple[Problem, ...]:
        """Return why children of a WorkPlan could not be created when last tried.

        A single request without an answer is not worth a report.
        """
        refusals = self._refusals.get(uid, {}).values()
        return tuple(r.problem for r in refusals if r.answered or r.failures > 1)

    def retry_in(self, uid: str) -> float | None:
        """Return the seconds until a refused child is tried again; None if there is none."""
        refusals = self._refusals.get(uid, {}).values()
        # What was due and not tried again is no longer wanted, or exists.
        times = (refusal.retry_at - self.clock() for refusal in refusals)
        return min((each for each in times if each > 0), default=None)

    def waits_for_cluster(self, uid: str) -> bool:
        """Whether the DaskCluster was refused and is not yet to be created again."""
        refusals = self._refusals.get(uid, {}).items()
        return any(
            child.startswith(f"{ChildKind.CLUSTER} ") and self.clock() < refusal.retry_at
            for child, refusal in refusals
        )

    def note_existing(self, observed: Observed) -> None:
        """Drop refusals of children that exist: the answer to their creation was lost.

        The keys of a namespace with a WorkPlan are kept, for people who bring images in or fetch
        results.
        """
        if self.credentials is not None and observed.workplan.spec.store is None:
            self.credentials.want(observed.workplan.metadata.namespace)
        refusals = self._refusals.get(observed.workplan.metadata.uid)
        if not refusals:
            return
        existing = {
            ChildKind.CLUSTER: observed.cluster,
            ChildKind.RUNNER: observed.runner,
            ChildKind.AUTOSCALER: observed.autoscaler,
            ChildKind.WORKLOAD: observed.workload,
        }
        kinds = {kind.value for kind, child in existing.items() if child is not None}
        for child in [each for each in refusals if each.partition(" ")[0] in kinds]:
            del refusals[child]

    def not_allowed(self, workplan: WorkPlanResource) -> tuple[Violation, ...]:
        """Return what a WorkPlan asks of its pods against the chart's policy."""
        defaults = self.config.defaults
        return violations(workplan.spec, defaults.policy, defaults.engine_image)

    def forget(self, uid: str) -> None:
        """Drop what is kept about a WorkPlan."""
        self._with_access.pop(uid, None)
        self._refusals.pop(uid, None)
        self._existed_at.pop(uid, None)

    async def create_access(self, observed: Observed) -> None:
        """Create what pods need before they start; cluster and runner wait until all exists."""
        uid = observed.workplan.metadata.uid
        self._with_access.pop(uid, None)
        account = await self._create_account(observed)
        if account is None:
            return
        manifests = self._build(
            observed, "access", lambda: self._access_manifests(observed, account)
        )
        # A RoleBinding is rejected while its Role does not exist.
        bindings = [manifest for manifest in manifests if resource_of(manifest) == ROLE_BINDINGS]
        others = [manifest for manifest in manifests if resource_of(manifest) != ROLE_BINDINGS]
        complete = (
            bool(manifests)
            and await self._create_missing(observed, account, others)
            and await self._create_missing(observed, account, bindings)
            and await self._write_credentials(observed)
        )
        if complete:
            self._with_access[uid] = account.uid

    async def create_cluster(self, observed: Observed, action: CreateCluster) -> None:
        """Create the DaskCluster, if its pods have access to all they need."""
        account = self._with_access.get(observed.workplan.metadata.uid)
        if account is None:
            return
        manifests = self._build(
            observed,
            "DaskCluster",
            lambda: [self._cluster_manifest(observed, action.workers, account)],
        )
        await self._create_all(observed, manifests)

    async def create_runner(self, observed: Observed) -> None:
        """Create the runner's Job, if its pod has access to all it needs."""
        account = self._with_access.get(observed.workplan.metadata.uid)
        if account is None:
            return

        def build() -> list[KubeObject]:
            return [self._runner_manifest(observed, self._keys(observed, account))]

        await self._create_all(observed, self._build(observed, "Job", build))

    async def create_workload(self, observed: Observed, action: CreateWorkload) -> None:
        """Create the Workload that asks Kueue for the quota of the run."""
        cluster = self._build(
            observed, "DaskCluster", lambda: [self._cluster_manifest(observed, action.workers, "")]
        )
        runner = self._build(observed, "Job", lambda: [self._runner_manifest(observed, "")])
        if not cluster or not runner:
            return
        priority = await self._queue_priority(observed, cluster[0]["spec"]["worker"]["spec"])
        if priority is not None:
            workload = build_workload(
                observed.workplan,
                self.config.defaults.version,
                cluster[0],
                runner[0],
                queue=observed.queue,
                priority=priority,
                workers=action.workers,
                minimum=action.minimum,
            )
            await self._create_all(observed, [workload])

    async def apply_autoscaler(self, observed: Observed, action: ApplyAutoscaler) -> None:
        """Create the DaskAutoscaler or update its limits."""
        manifest = build_dask_autoscaler(
            observed.run_workplan,
            self.config.defaults,
            self._cluster_name(observed),
            minimum=action.minimum,
        )
        if observed.autoscaler is None:
            await self._create_all(observed, [manifest])
            return
        # Only the spec: the dask operator has replaced the owner reference by the cluster's.
        patched = await self.kube.patch(
            resources.DASK_AUTOSCALERS,
            manifest["metadata"]["name"],
            {"metadata": {"uid": observed.autoscaler.uid}, "spec": manifest["spec"]},
            observed.workplan.metadata.namespace,
        )
        self.state.autoscalers.note_written(patched)

    async def delete(self, observed: Observed, action: DeleteChild) -> None:
        """Delete a child, unless that was requested a moment ago.

        Raises Conflict if there is another object of its name.
        """
        namespace = observed.workplan.metadata.namespace
        child = (action.kind.value, namespace, action.uid or action.name)
        now = self.clock()
        self._deleted_at = {
            key: time for key, time in self._deleted_at.items() if now - time < _DELETION_MEMORY
        }
        if child in self._deleted_at:
            return
        _log.info("deleting %s %s/%s: %s", action.kind, namespace, action.name, action.reason)
        resource = _RESOURCES[action.kind]
        if action.kind is ChildKind.ACCESS:
            # Until all that it owns is gone the account stays: none of it is taken for a new run's.
            await self.kube.delete(
                resource, action.name, namespace, uid=action.uid, propagation="Foreground"
            )
            self.forget(observed.workplan.metadata.uid)
        else:
            await self.kube.delete(resource, action.name, namespace, uid=action.uid)
        self._deleted_at[child] = now

    def _access(self, observed: Observed) -> StoreAccess:
        return store_access(observed.workplan, self.config.store)

    def _cluster_manifest(self, observed: Observed, workers: int, account: str) -> KubeObject:
        target = self._access(observed).target
        return build_dask_cluster(
            observed.run_workplan, self.config.defaults, target, workers=workers, account=account
        )

    def _runner_manifest(self, observed: Observed, keys: str) -> KubeObject:
        return build_runner_job(
            observed.run_workplan,
            self.config.defaults,
            self._access(observed).target,
            cluster=self._cluster_name(observed),
            keys=keys,
        )

    async def _queue_priority(self, observed: Observed, pod: KubeObject) -> QueuePriority | None:
        """Return the priority of the run's Workload; None, and a refusal, if its class is missing.

        Kueue expects it of those who make Workloads that they read it from the class.
        """
        uid = observed.workplan.metadata.uid
        found = priority_class(observed.workplan, pod)
        if found is None:
            return QueuePriority(observed.workplan.spec.priority)
        resource, name = found
        child = f"{resource.kind} {name}"
        refusals = self._refusals.setdefault(uid, {})
        if not self._is_due(uid, child):
            return None
        try:
            body = await self.kube.get(resource, name)
        except kube_errors.ApiError as error:
            problem = Problem(
                constants.REASON_POD_REJECTED,
                f"The priority of the run in its queue is not known: {child}: {error}",
            )
            self._refuse(refusals, child, problem, True, error.retry_after)
            return None
        refusals.pop(child, None)
        return QueuePriority(int(body.get("value") or 0), resource, name)

    def _cluster_name(self, observed: Observed) -> str:
        """Return the name of the run's DaskCluster, also before it is created."""
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.name
        return str(self._cluster_manifest(observed, 0, "")["metadata"]["name"])

    def _keys(self, observed: Observed, account: str) -> str:
        """Return the Secret with the keys of the run's cluster; empty for one without TLS.

        A cluster of an earlier operator may have none, or under another name.
        """
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.keys
        name = self._cluster_name(observed)
        return secret_name(name, account) if self.config.defaults.tls else ""

    async def _write_credentials(self, observed: Observed) -> bool:
        """Write the Secret with the default store's credentials in the namespace of the run.

        Returns whether the run has the credentials that it needs.
        """
        if self.credentials is None or observed.workplan.spec.store is not None:
            return True
        metadata = observed.workplan.metadata
        child = f"Secret {constants.STORE_SECRET}"
        refusals = self._refusals.setdefault(metadata.uid, {})
        if not self._is_due(metadata.uid, child):
            return False
        try:
            await self.credentials.write(metadata.namespace)
        except kube_errors.Fenced:
            raise
        except kube_errors.ApiError as error:
            problem, answered = _creation_problem(resources.SECRETS, child, error)
            self._refuse(refusals, child, problem, answered, error.retry_after)
            return False
        except (StoreAccessDenied, StoreUnreachable) as error:
            problem = Problem(error.failure_reason, str(error))
            self._refuse(refusals, child, problem, answered=True)
            return False
        refusals.pop(child, None)
        return True

    async def _create_account(self, observed: Observed) -> OwnerReference | None:
        """Create the runner's account unless it exists; returns None if neither is the case."""
        workplan = observed.workplan
        namespace, uid = workplan.metadata.namespace, workplan.metadata.uid
        manifest = build_runner_account(workplan, self.config.defaults)
        name, child = manifest["metadata"]["name"], _child(manifest)
        if not self._is_due(uid, child):
            return None
        if self.state.accounts.get(namespace, name) is None and not await self._create(
            uid, manifest
        ):
            return None
        # Not from the informer: what it shows may be on its way out, with all that it owns.
        body = await self.kube.find(SERVICE_ACCOUNTS, name, namespace)
        account = parse_views.access(body) if body is not None else None
        refusals = self._refusals.setdefault(uid, {})
        if account is None or account.deleting:
            message = f"{child} of the run before is still being deleted."
            problem = Problem(constants.REASON_API_SERVER_UNAVAILABLE, message)
            self._refuse(refusals, child, problem, answered=False)
            return None
        refusals.pop(child, None)
        return account_reference(account.name, account.uid)

    def _access_manifests(self, observed: Observed, account: OwnerReference) -> list[KubeObject]:
        workplan, defaults = observed.workplan, self.config.defaults
        target = self._access(observed).target
        manifests = [
            *build_runner_role(workplan, defaults, target),
            *build_network_policies(workplan, defaults, target),
        ]
        if keys := self._keys(observed, account.uid):
            cluster = self._cluster_name(observed)
            manifests.append(build_tls_secret(workplan, defaults, cluster, self.now(), keys))
        compute = build_compute_account(workplan.metadata.namespace)
        return [compute, *(owned_by(manifest, account) for manifest in manifests)]

    def _build(
        self, observed: Observed, what: str, build: Callable[[], list[KubeObject]]
    ) -> list[KubeObject]:
        """Return manifests; none, and a refusal, if the spec does not permit to build them."""
        refusals = self._refusals.setdefault(observed.workplan.metadata.uid, {})
        name = f"manifest of {what}"
        try:
            manifests = build()
        except PermanentError as error:
            problem = Problem(constants.REASON_POD_REJECTED, f"The {name} cannot be made: {error}")
            self._refuse(refusals, name, problem, answered=True)
            return []
        refusals.pop(name, None)
        return manifests

    async def _create_all(self, observed: Observed, manifests: Iterable[KubeObject]) -> bool:
        """Create objects; return whether all of them exist now."""
        uid = observed.workplan.metadata.uid
        exist = await asyncio.gather(*(self._create(uid, manifest) for manifest in manifests))
        return all(exist)

    async def _create_missing(
        self, observed: Observed, account: OwnerReference, manifests: Iterable[KubeObject]
    ) -> bool:
        """Create what gives access, unless it is known to have existed a short time ago.

        No informer shows these objects, so they would be asked for at each reconciliation of a run
        that lacks a child. Returns whether all of them exist.
        """
        uid = observed.workplan.metadata.uid
        existed = self._existed_at.setdefault(uid, {})
        now = self.clock()
        missing = {
            child: manifest
            for child, manifest in (((account.uid, _child(each)), each) for each in manifests)
            if now - existed.get(child, -_ACCESS_MEMORY) >= _ACCESS_MEMORY
        }
        exist = await asyncio.gather(*(self._create(uid, each) for each in missing.values()))
        existed.update(dict.fromkeys(compress(missing, exist), now))
        return all(exist)

    def _is_due(self, uid: str, child: str) -> bool:
        """Whether no backoff of a child is under way."""
        refusal = self._refusals.get(uid, {}).get(child)
        return refusal is None or self.clock() >= refusal.retry_at

    async def _create(self, uid: str, manifest: KubeObject) -> bool:
        resource, metadata = resource_of(manifest), manifest["metadata"]
        child = _child(manifest)
        refusals = self._refusals.setdefault(uid, {})
        if not self._is_due(uid, child):
            return False
        try:
            created = await self.kube.create(
                resource, manifest, metadata["namespace"], manager=constants.MANAGER_OPERATOR
            )
        except kube_errors.AlreadyExists:
            problem = await self._foreign(resource, manifest)
            if problem is not None:
                self._refuse(refusals, child, problem, answered=True)
                return False
            refusals.pop(child, None)
        except kube_errors.Fenced:
            raise
        except kube_errors.ApiError as error:
            problem, answered = _creation_problem(resource, child, error)
            self._refuse(refusals, child, problem, answered, error.retry_after)
            return False
        else:
            refusals.pop(child, None)
            self._note_created(resource, created)
        return True

    async def _foreign(self, resource: ApiResource, manifest: KubeObject) -> Problem | None:
        """Return why an existing object is not the one to be created, or None if it may be.

        Names of children can be told in advance, and what an earlier run left may still be on its
        way out. Secrets are not read.
        """
        if resource not in _CHECKED:
            return None
        metadata = manifest["metadata"]
        found = await self.kube.find(resource, metadata["name"], metadata["namespace"])
        wanted = {reference["uid"] for reference in metadata.get("ownerReferences") or ()}
        if found is None:
            message = f"{_child(manifest)} was there a moment ago, and is gone."
        elif wanted <= {each["uid"] for each in found["metadata"].get("ownerReferences") or ()}:
            return None
        else:
            message = (
                f"{_child(manifest)} exists and was not made for this run: if it does not go by"
                " itself, delete it."
            )
        return Problem(constants.REASON_POD_REJECTED, message)

    def _refuse(
        self,
        refusals: dict[str, _Refusal],
        child: str,
        problem: Problem,
        answered: bool,
        retry_after: float = 0.0,
    ) -> None:
        failures = refusals[child].failures + 1 if child in refusals else 1
        seconds = max(retry_after, self.backoff.delay(failures, self.chance))
        refusals[child] = _Refusal(problem, failures, self.clock() + seconds, answered)
        _log.info("%s; trying again in %.1f s", problem.message, seconds)

    def _note_created(self, resource: ApiResource, created: KubeObject) -> None:
        """Put a created object into its informer, so that it is not created twice."""
        for informer in self.state.informers:
            if informer.resource == resource:
                informer.note_written(created)


def _child(manifest: KubeObject) -> str:
    """Return kind and name of an object."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _creation_problem(
    resource: ApiResource, child: str, error: kube_errors.ApiError
) -> tuple[Problem, bool]:
    """Return what the API server's answer to a creation means, and whether it was a rejection."""
    match error:
        case kube_errors.KindMissing() if resource.group == resources.DASK_CLUSTERS.group:
            message = (
                f"The kind {resource.kind} does not exist in the cluster: the dask-kubernetes"
                " operator is not installed."
            )
            return Problem(constants.REASON_DASK_OPERATOR_MISSING, message), True
        case kube_errors.KindMissing() if resource.group == resources.WORKLOADS.group:
            message = (
                f"The kind {resource.api_version} {resource.kind} does not exist in the cluster:"
                " install Kueue 0.15 or newer, or take the label"
                f" {constants.LABEL_QUEUE} from the WorkPlan."
            )
            return Problem(constants.REASON_KUEUE_MISSING, message), True
        case (
            kube_errors.Forbidden()
            | kube_errors.Invalid()
            | kube_errors.NotFound()
            | kube_errors.TooLarge()
            | kube_errors.KindMissing()
        ):
            return Problem(constants.REASON_POD_REJECTED, f"{child} was rejected: {error}"), True
        case _:
            message = f"{child} could not be created: {error}"
            return Problem(constants.REASON_API_SERVER_UNAVAILABLE, message), False
