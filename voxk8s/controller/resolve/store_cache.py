"""Stores that a process has open: many plans at once do not each open and try the same one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from voxk8s.storage import ResultStore, StoreOptions, open_store

AGE = 5.0
"""Seconds for which a store stays open: for so long it may remember what it has seen."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that answers, and whether it keeps two writers of one result apart."""

    store: ResultStore
    conditional_writes: bool


@dataclass(slots=True)
class StoreCache:
    """Opens stores, each with the credentials that it was asked with."""

    clock: Callable[[], float] = time.monotonic
    _open: dict[tuple[str, StoreOptions], tuple[float, OpenStore]] = field(default_factory=dict)

    def to(self, url: str, options: StoreOptions) -> OpenStore:
        """Give an open store; raises StoreUnreachable or StoreAccessDenied."""
        now = self.clock()
        self._open = {key: held for key, held in self._open.items() if now - held[0] < AGE}
        held = self._open.get((url, options))
        if held is not None:
            return held[1]
        store = open_store(url, options=options, env={})
        door = OpenStore(store, store.probe().conditional_writes)
        self._open[url, options] = now, door
        return door


doors = StoreCache()
"""Those of this process."""
