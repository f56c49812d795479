"""Trust domains: whom results are believed from. Each is a store of its own.

A domain has its own records, blobs, pins, costs, leases and runs. `shared` lies at the root of the
store, every other domain NAME below `domains/NAME/`, so that the rights of a run are one prefix on
any server. Rejected: blobs shared by all domains. Whoever may create a blob could learn by the
answer "it exists" what others have computed, and without a server that checks digests could spoil
or delete what others need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.storage.layout import DOMAIN_FOLDERS
from voxk8s.storage.store_options import Location

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TAIL: Final = re.compile(rf"(?:(.*)/)?{constants.DOMAINS_PREFIX}/({_LABEL.pattern})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TrustDomains:
    """The domain in which a store is used, and those whose results are believed, in order."""

    own: str = constants.SHARED_DOMAIN
    trusts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names; a domain need not trust itself, nor another one twice."""
        others = dict.fromkeys(map(domain_name, self.trusts))
        others.pop(domain_name(self.own), None)
        object.__setattr__(self, "trusts", tuple(others))


def domain_name(text: str) -> str:
    """Return the name of a domain; raises InvalidUsage unless it is a DNS label."""
    if not _LABEL.fullmatch(text):
        raise InvalidUsage(
            "expected the name of a trust domain of at most 63 lower-case letters, digits and"
            f" hyphens, as in team-a, got {text!r}"
        )
    return text


def domain_names(text: str) -> tuple[str, ...]:
    """Return the names in a text, separated by commas or spaces; raises InvalidUsage."""
    return tuple(map(domain_name, filter(None, re.split(r"[\s,]+", text))))


def domain_root(store: Location, domain: str) -> Location:
    """Return where a domain of a store lies."""
    if domain == constants.SHARED_DOMAIN:
        return store
    return below(store, f"{constants.DOMAINS_PREFIX}/{domain_name(domain)}")


def domain_folders(store: Location, domain: str) -> tuple[Location, ...]:
    """Return the folders that are a domain's alone: `shared` has the store's root with others."""
    root = domain_root(store, domain)
    if domain != constants.SHARED_DOMAIN:
        return (root,)
    return tuple(below(root, folder) for folder in DOMAIN_FOLDERS)


def below(location: Location, path: str) -> Location:
    """Return a folder below a location."""
    if location.scheme in ("file", "memory"):
        return replace(location, root=f"{location.root.rstrip('/')}/{path}")
    return replace(location, prefix=f"{location.prefix}/{path}".lstrip("/"))


def split_root(location: Location) -> tuple[Location, str | None]:
    """Return the store and the domain of a location that is a domain's root, else None for it."""
    in_root = location.scheme in ("file", "memory")
    path = location.root if in_root else location.prefix
    found = _TAIL.fullmatch(path)
    if found is None or (in_root and not found[1]):
        return location, None
    if in_root:
        return replace(location, root=found[1]), found[2]
    return replace(location, prefix=found[1] or ""), found[2]


def choose_domains(
    named: str | None,
    domain: str | None,
    trusts: Iterable[str] | None,
    env_domain: str,
    env_trusts: str,
) -> TrustDomains:
    """Return the domains of a store.

    `named` is the domain that its URL names, `domain` and `trusts` are given by the caller, the
    others by the environment, which decides what neither does. Raises InvalidUsage where the URL
    names another domain than the caller.
    """
    if named is not None and domain is not None and named != domain:
        raise InvalidUsage(
            f"expected the trust domain {named}, which the store's URL names, got {domain}"
        )
    own = domain or named or env_domain.strip() or constants.SHARED_DOMAIN
    if trusts is None:
        # What a process trusts says nothing about a domain that somebody's URL names.
        is_foreign = named is not None and named != env_domain.strip()
        trusts = () if is_foreign else domain_names(env_trusts)
    return TrustDomains(own, tuple(trusts))
