"""The credentials of runs and of look-ups for them: those of the trust domain of a namespace.

They are, in this order: the static keys of the domain, a session of the store's STS that is
confined to the domain, or, where all namespaces share one domain, the operator's own keys. Runs
read them from one Secret of a fixed name, unless their service account gives them an identity.
People who may read that Secret bring images in and fetch results with it, so it is there as long as
the namespace has a WorkPlan, or the chart names it, and is deleted afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import AlreadyExists, NotFound
from voxk8s.cluster.resources import SECRETS, WORK_PLANS
from voxk8s.cluster.store_target import SECRET_KEYS, StoreTarget, build_credentials_secret
from voxk8s.controller.config import ALL_NAMESPACES, StoreConfig
from voxk8s.controller.resolve.store_access import LookUpOptions
from voxk8s.controller.trust import for_domain
from voxk8s.errors import StoreAccessDenied, Voxk8sError
from voxk8s.storage import StoreOptions, TrustDomains
from voxk8s.storage.scoped_credentials import assume_role, session_policy
from voxk8s.storage.store_options import parse_url

_log = logging.getLogger(__name__)
_CHECK_SECONDS: Final = 60.0
_MEMORY: Final = timedelta(minutes=1)
"""Time for which a Secret that was there is not looked at again."""
_REFRESH: Final = timedelta(minutes=10)
"""The same where no WorkPlan is reconciled."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Credentials:
    options: StoreOptions
    end: datetime


@dataclass(slots=True)
class RunCredentials:
    """Gets credentials and writes them to the namespaces of runs."""

    kube: KubeClient
    config: StoreConfig
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    assume: Callable[..., tuple[StoreOptions, datetime]] = assume_role
    folder: Path = Path(constants.DOMAIN_SECRETS_FOLDER)
    users: Callable[[], set[str]] | None = None
    """Gives the namespaces that have WorkPlans; without it none is forgotten."""
    namespaces: tuple[str, ...] = ()
    """The namespaces of the operator; all if there are none."""
    _sessions: dict[TrustDomains, _Credentials] = field(default_factory=dict)
    _asking: dict[TrustDomains, asyncio.Lock] = field(default_factory=dict)
    _written: dict[str, tuple[TrustDomains, _Credentials]] = field(default_factory=dict)
    _seen: dict[str, datetime] = field(default_factory=dict)
    _asked: dict[str, datetime] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _doubted: set[str] = field(default_factory=set)
    _unused: set[str] = field(default_factory=set)
    _left: set[str | None] | None = None
    """Namespaces, or all of them as None, where an earlier process may have left Secrets."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def want(self, namespace: str) -> None:
        """Have the Secret of a namespace written soon, and kept: it has a WorkPlan.

        One that was not looked at for a minute is looked at again: somebody may have deleted it.
        """
        if not self.config.url or not self.config.allows(namespace):
            return
        seen, now = self._seen.get(namespace), self.now()
        # One that cannot be written is not tried again at every reconciliation.
        last = seen and max(seen, self._asked.get(namespace, seen))
        if namespace not in self._wanted or (last and now - last >= _MEMORY):
            self._asked[namespace] = now
            self._wanted.add(namespace)
            self._doubted.add(namespace)
            self._news.set()

    async def write(self, namespace: str, memory: timedelta = _MEMORY) -> None:
        """Write the Secret of a namespace, unless it has credentials that last, or needs none.

        One that was written within `memory` is believed to be there. Raises StoreAccessDenied,
        StoreUnreachable, and the errors of the API server.
        """
        if self.config.trust.account_of(namespace):
            return
        domains = self.config.trust.domains_of(namespace)
        credentials = await self._credentials(domains)
        if credentials is None:
            return
        same = self._written.get(namespace) == (domains, credentials)
        seen = self._seen.get(namespace)
        if same and seen is not None and self.now() - seen < memory:
            return
        manifest = self._manifest(namespace, domains, credentials)
        try:
            # Also if it was written before: somebody may have deleted it, or the whole namespace.
            await self.kube.create(SECRETS, manifest, namespace, manager=constants.MANAGER_OPERATOR)
        except AlreadyExists:
            if not same:
                await self._patch(namespace, manifest)
        self._written[namespace] = domains, credentials
        self._seen[namespace] = self.now()

    async def look_up_options(self, namespace: str) -> LookUpOptions:
        """Return what the operator looks results of a namespace up with: no more than a run may do.

        Only where runs have an identity of their own and there is no STS these are the operator's
        own credentials. Raises StoreAccessDenied and StoreUnreachable.
        """
        trust = self.config.trust
        credentials = await self._credentials(
            trust.domains_of(namespace), has_identity=bool(trust.account_of(namespace))
        )
        if credentials is None:
            return LookUpOptions(self.config.options, of_domain=False)
        return LookUpOptions(credentials.options, of_domain=True)

    async def warm_up_options(self) -> tuple[StoreOptions, TrustDomains] | None:
        """Return credentials for a look-up of nothing, and their domain; None if there are none."""
        for name in (constants.SHARED_DOMAIN, *self.config.trust.domains):
            try:
                credentials = await self._credentials(TrustDomains(name))
            except Voxk8sError as error:
                _log.info("no credentials of trust domain %s to warm up with: %s", name, error)
            else:
                options = self.config.options if credentials is None else credentials.options
                return options, TrustDomains(name)
        return None

    async def keep_fresh(self) -> None:
        """Write what is wanted, and renew it before it ends, until cancelled."""
        for namespace in self._named():
            self.want(namespace)
        while True:
            self._news.clear()
            await self._forget_unused()
            doubted, self._doubted = self._doubted, set()
            for namespace in sorted(self._wanted.union(self._written)):
                try:
                    await self.write(namespace, _MEMORY if namespace in doubted else _REFRESH)
                except NotFound:
                    # The namespace does not exist (any more). One that the chart names may come.
                    self._written.pop(namespace, None)
                    self._wanted -= {namespace} - self._named()
                except Voxk8sError as error:
                    # Of what was never there, a WorkPlan that needs it says so in its status.
                    level = logging.WARNING if namespace in self._written else logging.INFO
                    _log.log(level, "credentials of namespace %s: %s", namespace, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_SECONDS):
                    await self._news.wait()

    async def _forget_unused(self) -> None:
        """Delete the Secrets of namespaces whose last WorkPlan is gone; never raises."""
        if self.users is None:
            return
        left = await self._leftovers()
        used = self.users() | self._named()
        unused = left.union(self._wanted, self._written) - used
        self._wanted -= unused
        self._unused = (self._unused | unused) - used
        for namespace in sorted(self._unused):
            self._forget(namespace)
            try:
                await self._delete(namespace)
            except Voxk8sError as error:
                _log.info("unused credentials of namespace %s: %s", namespace, error)
            else:
                self._unused.discard(namespace)
                # A run may have found it while it was being deleted.
                self._forget(namespace)

    async def _leftovers(self) -> set[str]:
        """Return the namespaces with a Secret from before this process, once; never raises.

        The last WorkPlan of one may have gone while no operator ran.
        """
        if self._left is None:
            self._left = set(self.namespaces) or {None}
        found: set[str] = set()
        for namespace in list(self._left):
            try:
                listing = await self.kube.list(
                    SECRETS,
                    namespace,
                    label_selector=f"{constants.LABEL_MANAGED_BY}={constants.MANAGER_OPERATOR}",
                    # The operator may list the Secrets of this name only.
                    field_selector=f"metadata.name={constants.STORE_SECRET}",
                )
            except Voxk8sError as error:
                _log.info("credentials of an earlier operator: %s", error)
            else:
                self._left.discard(namespace)
                found.update(each["metadata"]["namespace"] for each in listing.items)
        return found

    def _forget(self, namespace: str) -> None:
        self._written.pop(namespace, None)
        self._seen.pop(namespace, None)
        self._asked.pop(namespace, None)

    async def _delete(self, namespace: str) -> None:
        """Delete a Secret of the operator, unless the API server has a WorkPlan after all."""
        async for page in self.kube.list_pages(WORK_PLANS, namespace):
            if page.items:
                return
        # The operator may not read it; an empty patch changes nothing, and returns it.
        try:
            found = await self.kube.patch(SECRETS, constants.STORE_SECRET, {}, namespace)
        except NotFound:
            return
        metadata = found["metadata"]
        labels = metadata.get("labels") or {}
        if labels.get(constants.LABEL_MANAGED_BY) != constants.MANAGER_OPERATOR:
            return
        await self.kube.delete(SECRETS, metadata["name"], namespace, uid=metadata["uid"])
        _log.info("deleted the credentials of namespace %s: it has no WorkPlan", namespace)

    def _named(self) -> set[str]:
        """Return the namespaces that the chart names."""
        domains = self.config.trust.domains.values()
        named = {name for domain in domains for name in domain.namespaces}
        return named.union(self.config.allowed) - {ALL_NAMESPACES}

    def _manifest(
        self, namespace: str, domains: TrustDomains, credentials: _Credentials
    ) -> dict[str, Any]:
        options = self.config.options
        store = StoreTarget(
            self.config.url or "", options.endpoint, options.region, domains=domains
        )
        until = None if credentials.end == _NEVER else credentials.end.isoformat()
        return build_credentials_secret(store, namespace, credentials.options, until)

    async def _patch(self, namespace: str, manifest: dict[str, Any]) -> None:
        """Replace what a Secret has; what the new credentials lack, such as a token, goes."""
        data = {name: manifest["data"].get(name) for name in SECRET_KEYS}
        annotations = manifest["metadata"].get("annotations", {})
        until = annotations.get(constants.ANNOTATION_KEYS_UNTIL)
        changes = {
            "data": data,
            "metadata": {"annotations": {constants.ANNOTATION_KEYS_UNTIL: until}},
        }
        await self.kube.patch(SECRETS, constants.STORE_SECRET, changes, namespace)

    async def _credentials(
        self, domains: TrustDomains, *, has_identity: bool = False
    ) -> _Credentials | None:
        """Return the credentials of a domain; None where its runs have an identity instead."""
        static = self._static(domains.own)
        if static is not None:
            return _Credentials(static, _NEVER)
        config = self.config
        if config.url is not None and config.session.role_arn:
            return await self._session(config.url, domains)
        if has_identity or not config.options.key:
            return None
        if config.trust.divides:
            raise StoreAccessDenied(
                f"Trust domain {domains.own} has no credentials of its own: set the chart's"
                f" store.sts.roleArn, or store.domains.{domains.own}.existingSecret."
            )
        return _Credentials(config.options, _NEVER)

    async def _session(self, url: str, domains: TrustDomains) -> _Credentials:
        # Those who need the same session wait for one request.
        async with self._asking.setdefault(domains, asyncio.Lock()):
            return await self._current_session(url, domains)

    async def _current_session(self, url: str, domains: TrustDomains) -> _Credentials:
        session = self.config.session
        found = self._sessions.get(domains)
        if found and found.end - self.now() > timedelta(seconds=session.duration_seconds / 2):
            return found
        policy = session_policy(
            parse_url(url),
            domains,
            read=for_domain(session.read_prefixes, domains.own),
            write=for_domain(session.write_prefixes, domains.own),
            confine_listing=session.confine_listing,
        )
        options, end = await asyncio.to_thread(
            self.assume,
            self.config.options,
            session.role_arn,
            policy,
            domain=domains.own,
            seconds=session.duration_seconds,
            endpoint=session.endpoint or None,
        )
        made = self._sessions[domains] = _Credentials(options, end)
        return made

    def _static(self, domain: str) -> StoreOptions | None:
        """Return the keys in the Secret of a domain, which the chart mounts; None without one."""
        known = self.config.trust.domains.get(domain)
        if known is None or not known.existing_secret:
            return None
        try:
            values = {
                name: path.read_text("utf-8").strip()
                for name in constants.S3_CREDENTIALS
                if (path := self.folder / domain / name).is_file()
            }
        except (OSError, UnicodeDecodeError) as error:
            raise StoreAccessDenied(
                f"Secret {known.existing_secret} of trust domain {domain} has a key that cannot be"
                " read as UTF-8 text."
            ) from error
        options = StoreOptions(endpoint=self.config.options.endpoint).filled(values)
        if not options.key or not options.secret:
            raise StoreAccessDenied(
                f"Secret {known.existing_secret} of trust domain {domain} needs the keys"
                f" {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET}."
            )
        return options
