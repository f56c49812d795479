"""Results that were seen to be complete a moment ago, bounded in number and age."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from voxk8s.plan.model import Digest


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the bytes of a complete result are: in the blob `digest`, or inline when None."""

    digest: Digest | None
    size: int


class RecentResults:
    """A small LRU. Positive answers only: a result never changes, it may only go."""

    def __init__(
        self,
        *,
        most: int = 100_000,
        seconds: float = 60.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Keep at most `most` results, each for `seconds`."""
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._items: OrderedDict[str, tuple[float, Seen]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Seen | None:
        """Tell what was seen of a key, if that was recently."""
        with self._lock:
            item = self._items.get(key)
            if item is None:
                return None
            when, seen = item
            if self._clock() - when > self._seconds:
                del self._items[key]
                return None
            self._items.move_to_end(key)
            return seen

    def add(self, key: str, seen: Seen) -> None:
        """Remember that a result is complete."""
        with self._lock:
            self._items[key] = (self._clock(), seen)
            self._items.move_to_end(key)
            if len(self._items) > self._most:
                self._items.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget a key."""
        with self._lock:
            self._items.pop(key, None)
