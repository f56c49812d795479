"""The keys that a store handle has put lately: a bounded set, safe in threads."""

from __future__ import annotations

import threading
from typing import Final

MAX_KEYS: Final = 65_536
"""About 8 MB of memory; older keys are forgotten, which costs a look-up or a computation."""


class RecentKeys:
    """At most `max_keys` keys; the one added first is forgotten first."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._keys: dict[str, None] = {}
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        """Add a key, or make it the youngest."""
        with self._lock:
            self._keys.pop(key, None)
            self._keys[key] = None
            if len(self._keys) > self._max_keys:
                del self._keys[next(iter(self._keys))]

    def discard(self, key: str) -> None:
        """Remove a key if it is there."""
        with self._lock:
            self._keys.pop(key, None)
