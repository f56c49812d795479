"""Creates objects, and keeps why one could not be created and when to try again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from voxk8s import constants
from voxk8s.cluster import kube_errors, resources
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import ApiResource, resource_of
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Problem
from voxk8s.controller.work_queue import Backoff
from voxk8s.errors import PermanentError

_log = logging.getLogger(__name__)

_CHECKED: Final = frozenset({
    resources.SERVICE_ACCOUNTS,
    resources.ROLES,
    resources.ROLE_BINDINGS,
    resources.NETWORK_POLICIES,
    resources.WORKLOADS,
    resources.DASK_CLUSTERS,
    resources.DASK_WORKER_GROUPS,
    resources.DASK_AUTOSCALERS,
    resources.JOBS,
})  # fmt: skip
"""Resources of which an existing object is only taken for the run's if it has the right owner."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a child could not be created, how often, and when to try again."""

    problem: Problem
    failures: int
    retry_at: float
    answered: bool
    """Whether the API server rejected it, rather than gave no answer."""


@dataclass(slots=True)
class Creations:
    """Creates objects of WorkPlans; refusals are kept by the WorkPlan's uid and the child.

    A child that could not be created is not tried again before its own backoff is over, whatever
    happens meanwhile. Created objects are put into the informers of `state`.
    """

    kube: KubeClient
    state: ClusterState
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, most=60.0))
    _refusals: dict[str, dict[str, _Refusal]] = field(default_factory=dict)

    def problems(self, uid: str) -> tuple[Problem, ...]:
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

    def waits_for(self, uid: str, kind: str) -> bool:
        """Whether an object of a kind was refused and is not yet to be created again."""
        return any(
            child.startswith(f"{kind} ") and self.clock() < refusal.retry_at
            for child, refusal in self._refusals.get(uid, {}).items()
        )

    def is_due(self, uid: str, child: str) -> bool:
        """Whether no backoff of a child is under way."""
        refusal = self._refusals.get(uid, {}).get(child)
        return refusal is None or self.clock() >= refusal.retry_at

    def refuse(
        self,
        uid: str,
        child: str,
        problem: Problem,
        *,
        answered: bool,
        retry_after: float = 0.0,
    ) -> None:
        """Note why there is no such child; it is due again after a while."""
        refusals = self._refusals.setdefault(uid, {})
        failures = refusals[child].failures + 1 if child in refusals else 1
        seconds = max(retry_after, self.backoff.delay(failures, self.chance))
        refusals[child] = _Refusal(problem, failures, self.clock() + seconds, answered)
        _log.info("%s; trying again in %.1f s", problem.message, seconds)

    def accept(self, uid: str, child: str) -> None:
        """Drop the refusal of a child: it exists."""
        self._refusals.get(uid, {}).pop(child, None)

    def accept_kinds(self, uid: str, kinds: Collection[str]) -> None:
        """Drop the refusals of kinds of which the child exists."""
        refusals = self._refusals.get(uid, {})
        for child in [each for each in refusals if each.partition(" ")[0] in kinds]:
            del refusals[child]

    def forget(self, uid: str) -> None:
        """Drop what is kept about a WorkPlan."""
        self._refusals.pop(uid, None)

    def build(self, uid: str, what: str, build: Callable[[], list[KubeObject]]) -> list[KubeObject]:
        """Return manifests; none, and a refusal, if the spec does not permit to build them."""
        name = f"manifest of {what}"
        try:
            manifests = build()
        except PermanentError as error:
            problem = Problem(constants.REASON_POD_REJECTED, f"The {name} cannot be made: {error}")
            self.refuse(uid, name, problem, answered=True)
            return []
        self.accept(uid, name)
        return manifests

    async def create_all(self, uid: str, manifests: Iterable[KubeObject]) -> bool:
        """Create objects; return whether all of them exist now."""
        return all(await asyncio.gather(*(self.create(uid, each) for each in manifests)))

    async def create(self, uid: str, manifest: KubeObject, owner: str = "") -> bool:
        """Create an object unless its backoff is under way; return whether it exists now.

        `owner` is the uid of an owner that others may give it instead.
        """
        resource, metadata = resource_of(manifest), manifest["metadata"]
        child = child_of(manifest)
        if not self.is_due(uid, child):
            return False
        try:
            created = await self.kube.create(
                resource, manifest, metadata["namespace"], manager=constants.MANAGER_OPERATOR
            )
        except kube_errors.AlreadyExists:
            problem = await self._foreign(resource, manifest, owner)
            if problem is not None:
                self.refuse(uid, child, problem, answered=True)
                return False
        except kube_errors.Fenced:
            raise
        except kube_errors.ApiError as error:
            self.refuse_answer(uid, resource, child, error)
            return False
        else:
            self._note_created(resource, created)
        self.accept(uid, child)
        return True

    def refuse_answer(
        self, uid: str, resource: ApiResource, child: str, error: kube_errors.ApiError
    ) -> None:
        """Note what the API server's answer to the creation of a child means."""
        problem, answered = _creation_problem(resource, child, error)
        self.refuse(uid, child, problem, answered=answered, retry_after=error.retry_after)

    async def _foreign(
        self, resource: ApiResource, manifest: KubeObject, owner: str
    ) -> Problem | None:
        """Return why an existing object is not the one to be created, or None if it may be.

        Names of children can be told in advance, and what an earlier run left may still be on its
        way out. Secrets are not read.
        """
        if resource not in _CHECKED:
            return None
        metadata = manifest["metadata"]
        found = await self.kube.find(resource, metadata["name"], metadata["namespace"])
        wanted, owners = _owners(manifest), _owners(found or {})
        if found is None:
            message = f"{child_of(manifest)} was there a moment ago, and is gone."
        elif wanted <= owners or owner in owners:
            return None
        else:
            message = (
                f"{child_of(manifest)} exists and was not made for this run: if it does not go by"
                " itself, delete it."
            )
        return Problem(constants.REASON_POD_REJECTED, message)

    def _note_created(self, resource: ApiResource, created: KubeObject) -> None:
        """Put a created object into its informer, so that it is not created twice."""
        for informer in self.state.informers:
            if informer.resource == resource:
                informer.note_written(created)


def _owners(body: KubeObject) -> set[str]:
    """Return the uids of an object's owners."""
    return {each["uid"] for each in body.get("metadata", {}).get("ownerReferences") or ()}


def child_of(manifest: KubeObject) -> str:
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
