"""The credentials of runs and of look-ups for them: those of the trust domain of a namespace.

They are, in this order: the static keys of the domain, a session of the store's STS that is
confined to the domain, or, where all namespaces share one domain, the operator's own keys. Runs
read them from one Secret of a fixed name, unless their service account gives them an identity.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import AlreadyExists
from voxk8s.cluster.resources import SECRETS
from voxk8s.cluster.store_target import build_credentials_secret
from voxk8s.controller.config import StoreConfig
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
    _sessions: dict[TrustDomains, _Credentials] = field(default_factory=dict)
    _asking: dict[TrustDomains, asyncio.Lock] = field(default_factory=dict)
    _written: dict[str, tuple[TrustDomains, _Credentials]] = field(default_factory=dict)
    _seen: dict[str, datetime] = field(default_factory=dict)

    async def write(self, namespace: str) -> None:
        """Write the Secret of a namespace, unless it has credentials that last, or needs none.

        Raises StoreAccessDenied, StoreUnreachable, and the errors of the API server.
        """
        if self.config.trust.account_of(namespace):
            return
        domains = self.config.trust.domains_of(namespace)
        credentials = await self._credentials(domains)
        if credentials is None:
            return
        same = self._written.get(namespace) == (domains, credentials)
        seen = self._seen.get(namespace)
        if same and seen is not None and self.now() - seen < _MEMORY:
            return
        manifest = build_credentials_secret(namespace, credentials.options)
        try:
            # Also if it was written before: somebody may have deleted it, or the whole namespace.
            await self.kube.create(SECRETS, manifest, namespace, manager=constants.MANAGER_OPERATOR)
        except AlreadyExists:
            if not same:
                # What the new credentials lack, such as a token, goes.
                data = {name: manifest["data"].get(name) for name in constants.S3_CREDENTIALS}
                await self.kube.patch(SECRETS, constants.STORE_SECRET, {"data": data}, namespace)
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
        """Renew what was written before it ends, until cancelled: pods read it when they start."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            for namespace in list(self._written):
                try:
                    await self.write(namespace)
                except Voxk8sError as error:
                    _log.warning("credentials of namespace %s: %s", namespace, error)

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
        values = {
            name: path.read_text("utf-8").strip()
            for name in constants.S3_CREDENTIALS
            if (path := self.folder / domain / name).is_file()
        }
        options = StoreOptions(endpoint=self.config.options.endpoint).filled(values)
        if not options.key or not options.secret:
            raise StoreAccessDenied(
                f"Secret {known.existing_secret} of trust domain {domain} needs the keys"
                f" {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET}."
            )
        return options
