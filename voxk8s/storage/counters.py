"""What happened at a store since it was opened, and what it holds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of one open store in this process."""

    hits: int = 0
    misses: int = 0
    created: int = 0
    existing: int = 0
    nondeterministic: int = 0
    corrupt: int = 0
    healed: int = 0


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What a store holds (found by listing it), and this process's counts."""

    records: int
    record_bytes: int
    blobs: int
    blob_bytes: int
    quarantined: int
    counts: Counts = field(default_factory=Counts)


class Counters:
    """Counts that many threads add to."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._counts = Counts()

    def add(self, name: str) -> None:
        """Count one event of a field of `Counts`."""
        with self._lock:
            self._counts = replace(self._counts, **{name: getattr(self._counts, name) + 1})

    def snapshot(self) -> Counts:
        """Give the counts of this moment."""
        with self._lock:
            return self._counts
