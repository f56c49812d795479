"""Creates what gives the pods of a run access: account, role, policies, keys, credentials.

The runner's account owns the others, so that all of it goes with the account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress
from typing import Final

from voxk8s import constants
from voxk8s.api.workplan import OwnerReference
from voxk8s.cluster import kube_errors, resources
from voxk8s.cluster.kube_client import KubeObject
from voxk8s.cluster.rbac import account_reference
from voxk8s.cluster.resources import ROLE_BINDINGS, SERVICE_ACCOUNTS, resource_of
from voxk8s.controller.act.creations import Creations, child_of
from voxk8s.controller.act.run_credentials import RunCredentials
from voxk8s.controller.act.run_manifests import RunManifests
from voxk8s.controller.observe import parse_views
from voxk8s.controller.observe.observed import Observed, Problem
from voxk8s.errors import StoreAccessDenied, StoreUnreachable

_MEMORY: Final = 60.0
"""Seconds for which a role or policy that existed is not created again."""


@dataclass(slots=True)
class Access:
    """Creates the access of runs, and remembers which of them have all of it."""

    creations: Creations
    manifests: RunManifests
    credentials: RunCredentials | None
    now: Callable[[], datetime]
    _accounts: dict[str, str] = field(default_factory=dict)
    """The uids of the accounts of those WorkPlans that have all access they need, by their uid."""
    _existed_at: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)
    """When objects were seen by a WorkPlan's uid; they are deleted with the account of that uid."""

    def account(self, uid: str) -> str | None:
        """Return the uid of the account of a WorkPlan's run, if its pods have all they need."""
        return self._accounts.get(uid)

    def forget(self, uid: str) -> None:
        """Drop what is kept about a WorkPlan."""
        self._accounts.pop(uid, None)
        self._existed_at.pop(uid, None)

    async def create(self, observed: Observed) -> None:
        """Create what is missing; cluster and runner wait until all exists."""
        uid = observed.workplan.metadata.uid
        self._accounts.pop(uid, None)
        account = await self._create_account(observed)
        if account is None:
            return
        manifests = self.creations.build(
            uid, "access", lambda: self.manifests.access(observed, account, self.now())
        )
        # A RoleBinding is rejected while its Role does not exist.
        bindings = [manifest for manifest in manifests if resource_of(manifest) == ROLE_BINDINGS]
        others = [manifest for manifest in manifests if resource_of(manifest) != ROLE_BINDINGS]
        complete = (
            bool(manifests)
            and await self._create_missing(uid, account, others)
            and await self._create_missing(uid, account, bindings)
            and await self._write_credentials(observed)
        )
        if complete:
            self._accounts[uid] = account.uid

    async def _create_account(self, observed: Observed) -> OwnerReference | None:
        """Create the runner's account unless it exists; returns None if neither is the case."""
        creations = self.creations
        namespace, uid = observed.workplan.metadata.namespace, observed.workplan.metadata.uid
        manifest = self.manifests.account(observed)
        name, child = manifest["metadata"]["name"], child_of(manifest)
        if not creations.is_due(uid, child):
            return None
        known = creations.state.accounts.get(namespace, name)
        if known is None and not await creations.create(uid, manifest):
            return None
        # Not from the informer: what it shows may be on its way out, with all that it owns.
        body = await creations.kube.find(SERVICE_ACCOUNTS, name, namespace)
        account = parse_views.access(body) if body is not None else None
        if account is None or account.deleting:
            message = f"{child} of the run before is still being deleted."
            problem = Problem(constants.REASON_API_SERVER_UNAVAILABLE, message)
            creations.refuse(uid, child, problem, answered=False)
            return None
        creations.accept(uid, child)
        return account_reference(account.name, account.uid)

    async def _create_missing(
        self, uid: str, account: OwnerReference, manifests: Iterable[KubeObject]
    ) -> bool:
        """Create what gives access, unless it is known to have existed a short time ago.

        No informer shows these objects, so they would be asked for at each reconciliation of a run
        that lacks a child. Returns whether all of them exist.
        """
        existed = self._existed_at.setdefault(uid, {})
        now = self.creations.clock()
        missing = {
            child: manifest
            for child, manifest in (((account.uid, child_of(each)), each) for each in manifests)
            if now - existed.get(child, -_MEMORY) >= _MEMORY
        }
        exist = await asyncio.gather(
            *(self.creations.create(uid, each) for each in missing.values())
        )
        existed.update(dict.fromkeys(compress(missing, exist), now))
        return all(exist)

    async def _write_credentials(self, observed: Observed) -> bool:
        """Write the Secret with the default store's credentials in the namespace of the run.

        Returns whether the run has the credentials that it needs.
        """
        if self.credentials is None or observed.workplan.spec.store is not None:
            return True
        uid, namespace = observed.workplan.metadata.uid, observed.workplan.metadata.namespace
        child = f"Secret {constants.STORE_SECRET}"
        if not self.creations.is_due(uid, child):
            return False
        try:
            await self.credentials.write(namespace)
        except kube_errors.Fenced:
            raise
        except kube_errors.ApiError as error:
            self.creations.refuse_answer(uid, resources.SECRETS, child, error)
            return False
        except (StoreAccessDenied, StoreUnreachable) as error:
            problem = Problem(error.failure_reason, str(error))
            self.creations.refuse(uid, child, problem, answered=True)
            return False
        self.creations.accept(uid, child)
        return True
