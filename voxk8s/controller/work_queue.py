"""The work queue: keys of WorkPlans to reconcile, each queued once and worked on by one worker.

The guarantees of client-go's rate limiting queue: a key that is added while it is being worked on
is queued again afterwards, and worked on by one worker at a time; failures delay a key by its own
exponential backoff, and at least as long as the API server asks for; a success resets it. Beyond
these, changes that are seen meanwhile do not cut the backoff short: an object whose writes fail and
are reported would be tried without end. The clock is an argument, so that tests need not wait.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class ObjectKey(NamedTuple):
    """Namespace and name of an object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delay after the n-th failure in a row, in seconds: doubled each time, minus jitter."""

    first: float = 0.1
    most: float = 60.0
    jitter: float = 0.2

    def delay(self, failures: int, chance: Callable[[], float]) -> float:
        """Return the seconds before the next attempt; `chance` returns numbers in [0, 1)."""
        plain = min(self.most, self.first * 2.0 ** min(failures - 1, 62))
        return plain * (1.0 - self.jitter * chance())


_MOST_OBSOLETE = 64


@dataclass(slots=True)
class WorkQueue:
    """A deduplicating queue of keys with delays and per-key backoff."""

    clock: Callable[[], float]
    backoff: Backoff = field(default_factory=Backoff)
    chance: Callable[[], float] = random.random
    _ready: deque[ObjectKey] = field(default_factory=deque)
    _queued: set[ObjectKey] = field(default_factory=set)
    _busy: set[ObjectKey] = field(default_factory=set)
    _again: set[ObjectKey] = field(default_factory=set)
    _due: dict[ObjectKey, float] = field(default_factory=dict)
    _heap: list[tuple[float, ObjectKey]] = field(default_factory=list)
    """What is due by its time, and some entries that are obsolete: not the ones in `_due`."""
    _failures: dict[ObjectKey, int] = field(default_factory=dict)
    _not_before: dict[ObjectKey, float] = field(default_factory=dict)
    """When the backoff of a key ends."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False

    def add(self, key: ObjectKey) -> None:
        """Queue a key now, or at the end of its backoff."""
        if self._closed or key in self._queued:
            return
        wait = self._not_before.get(key, 0.0) - self.clock()
        if wait > 0:
            self.add_after(key, wait)
            return
        if key in self._busy:
            self._again.add(key)
            return
        self._drop_delay(key)
        self._queued.add(key)
        self._ready.append(key)
        self._wake.set()

    def add_after(self, key: ObjectKey, seconds: float) -> None:
        """Queue a key after a delay; of several delays the one that ends first counts."""
        if seconds <= 0:
            self.add(key)
            return
        due = self.clock() + seconds
        earlier = self._due.get(key)
        if self._closed or key in self._queued or (earlier is not None and earlier <= due):
            return
        self._drop_delay(key)
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        self._wake.set()

    def add_failed(self, key: ObjectKey, at_least: float = 0.0) -> float:
        """Queue a key after its backoff, of `at_least` so many seconds; return the seconds."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = max(at_least, self.backoff.delay(failures, self.chance))
        self._not_before[key] = self.clock() + seconds
        self.add_after(key, seconds)
        return seconds

    def forget_failures(self, key: ObjectKey) -> None:
        """Reset the backoff of a key after a success."""
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    def failures(self, key: ObjectKey) -> int:
        """Return the number of failures of a key in a row."""
        return self._failures.get(key, 0)

    def forget(self, key: ObjectKey) -> None:
        """Drop failures and delays of a deleted object."""
        self.forget_failures(key)
        self._drop_delay(key)

    async def get(self) -> ObjectKey:
        """Wait for the next key; the worker calls `done` later. Raises QueueClosed at the end."""
        while True:
            self._add_due()
            if self._ready:
                key = self._ready.popleft()
                self._queued.discard(key)
                self._busy.add(key)
                self._idle.clear()
                return key
            if self._closed:
                raise QueueClosed
            self._wake.clear()
            await self._sleep()

    def done(self, key: ObjectKey) -> None:
        """Mark a key as processed; it is queued again if it was added meanwhile."""
        self._busy.discard(key)
        if not self._busy:
            self._idle.set()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def drained(self) -> None:
        """Wait until no key is being worked on."""
        if self._busy:
            await self._idle.wait()

    def close(self) -> None:
        """Accept and return no more keys; waiting workers get QueueClosed."""
        self._closed = True
        self._ready.clear()
        self._wake.set()

    def __len__(self) -> int:
        return len(self._ready)

    def _drop_delay(self, key: ObjectKey) -> None:
        """Forget when a key is due; its entry stays in the heap until most there are obsolete."""
        if self._due.pop(key, None) is None:
            return
        if len(self._heap) > 2 * len(self._due) + _MOST_OBSOLETE:
            self._heap = [(due, each) for each, due in self._due.items()]
            heapq.heapify(self._heap)

    def _add_due(self) -> None:
        now = self.clock()
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                self._drop_delay(key)
                self.add(key)

    async def _sleep(self) -> None:
        timeout = max(0.0, self._heap[0][0] - self.clock()) if self._heap else None
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return
        if self._ready or self._closed:
            # Other workers may wait for the same event.
            self._wake.set()


class QueueClosed(Exception):
    """The queue was closed while a worker waited."""
