"""Which trust domain a namespace belongs to, and what gives its runs their credentials. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from voxk8s import constants
from voxk8s.errors import StoreAccessDenied
from voxk8s.storage import TrustDomains


class Domain(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A trust domain of the chart's `store.domains`.

    Results of `trusts` are believed in it, not the other way round. `existing_secret` tells that
    the operator has a Secret with the static keys of its runs, `service_account` is the account of
    their pods where it gives them an identity that the store knows: then they get no keys.
    """

    namespaces: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    existing_secret: str = ""
    service_account: str = ""


class Trust(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The chart's values `store.trust`, `store.domains`, `store.trusts` and `store.serviceAccount`.

    A namespace that no domain names has a domain of its own, of its name, if `per_namespace`, else
    it belongs to `shared`. `trusts` are what the domains of namespaces believe, `service_account`
    is the account of their pods.
    """

    per_namespace: bool = False
    domains: Mapping[str, Domain] = msgspec.field(default_factory=dict)
    trusts: tuple[str, ...] = ()
    service_account: str = ""

    @property
    def divides(self) -> bool:
        """Whether there is more than one domain."""
        return self.per_namespace or bool(self.domains)

    def names(self, namespace: str) -> bool:
        """Whether a domain of the chart names a namespace."""
        return any(namespace in domain.namespaces for domain in self.domains.values())

    def account_of(self, namespace: str) -> str:
        """Return the service account that gives the runs of a namespace access; empty if none."""
        for domain in self.domains.values():
            if namespace in domain.namespaces:
                return domain.service_account
        return self.service_account

    def domains_of(self, namespace: str) -> TrustDomains:
        """Return the domain of a namespace, and those that it trusts.

        Raises StoreAccessDenied where a namespace would share a domain because of its name alone.
        """
        for name, domain in self.domains.items():
            if namespace in domain.namespaces:
                return TrustDomains(name, domain.trusts)
        if not self.per_namespace:
            return TrustDomains()
        if namespace == constants.SHARED_DOMAIN or namespace in self.domains:
            raise StoreAccessDenied(
                f"Namespace {namespace} has the name of a trust domain that it does not belong to."
                " Name it in the chart's store.domains."
            )
        return TrustDomains(namespace, self.trusts)


class SessionConfig(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The chart's value `store.sts`: how the operator gets credentials for the runs of a domain.

    Without `role_arn` it does not. `{domain}` in a prefix stands for the name of the run's domain.
    """

    role_arn: str = ""
    endpoint: str = ""
    duration_seconds: int = 3600
    read_prefixes: tuple[str, ...] = ()
    write_prefixes: tuple[str, ...] = ()
    confine_listing: bool = False


def for_domain(prefixes: tuple[str, ...], domain: str) -> tuple[str, ...]:
    """Return prefixes of inputs or outputs as they are for a domain."""
    return tuple(prefix.replace("{domain}", domain) for prefix in prefixes)
