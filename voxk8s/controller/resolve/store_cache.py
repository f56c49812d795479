"""Open stores of a process: plans that are resolved at the same time share one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from voxk8s.storage import ResultStore, StoreOptions, open_store

MAX_AGE = 5.0
"""Seconds for which a store is reused: this bounds the age of what the store itself caches."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that was probed, and whether it supports conditional writes."""

    store: ResultStore
    conditional_writes: bool


@dataclass(slots=True)
class StoreCache:
    """Opens stores and keeps each for MAX_AGE, by URL and credentials."""

    clock: Callable[[], float] = time.monotonic
    _entries: dict[tuple[str, StoreOptions], tuple[float, OpenStore]] = field(default_factory=dict)

    def get(self, url: str, options: StoreOptions) -> OpenStore:
        """Return an open store; raises StoreUnreachable or StoreAccessDenied."""
        now = self.clock()
        self._entries = {key: e for key, e in self._entries.items() if now - e[0] < MAX_AGE}
        entry = self._entries.get((url, options))
        if entry is not None:
            return entry[1]
        store = open_store(url, options=options, env={})
        opened = OpenStore(store, store.probe().conditional_writes)
        self._entries[url, options] = now, opened
        return opened


store_cache = StoreCache()
"""The cache of this process."""
