"""Open stores of a process: plans that are resolved at the same time share one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from voxk8s.storage import ResultStore, StoreOptions, TrustDomains, open_store

_SHARED = TrustDomains()
MAX_AGE = 5.0
"""Seconds for which a store is reused: this bounds the age of what the store itself caches."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that was probed, and whether it supports conditional writes."""

    store: ResultStore
    conditional_writes: bool


@dataclass(slots=True)
class StoreCache:
    """Opens stores and keeps each for MAX_AGE, by URL, credentials and trust domains."""

    clock: Callable[[], float] = time.monotonic
    _entries: dict[tuple[str, StoreOptions, TrustDomains], tuple[float, OpenStore]] = field(
        default_factory=dict
    )

    def get(self, url: str, options: StoreOptions, domains: TrustDomains = _SHARED) -> OpenStore:
        """Return an open store; raises StoreUnreachable or StoreAccessDenied."""
        now = self.clock()
        self._entries = {each: e for each, e in self._entries.items() if now - e[0] < MAX_AGE}
        key = url, options, domains
        entry = self._entries.get(key)
        if entry is not None:
            return entry[1]
        store = open_store(url, domain=domains.own, trusts=domains.trusts, options=options, env={})
        opened = OpenStore(store, store.probe().conditional_writes)
        self._entries[key] = now, opened
        return opened


store_cache = StoreCache()
"""The cache of this process."""
