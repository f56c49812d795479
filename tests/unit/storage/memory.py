"""Parts of a store over memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

from voxk8s.storage import ResultStore
from voxk8s.storage.backend import Backend
from voxk8s.storage.counters import Counters
from voxk8s.storage.quarantine import Quarantine
from voxk8s.storage.store_options import Location, StoreOptions


def memory_backend() -> Backend:
    """Return an empty back end of its own."""
    return Backend(Location("memory", uuid4().hex), StoreOptions())


def quarantine_of(backend: Backend) -> tuple[Quarantine, Counters]:
    """Return the quarantine of a back end, and its counters."""
    counters = Counters()
    return Quarantine(backend, counters), counters


def memory_store(clock: Callable[[], float] = time.time) -> ResultStore:
    """Return an empty store of its own."""
    return ResultStore(Location("memory", uuid4().hex), StoreOptions(), clock=clock)
