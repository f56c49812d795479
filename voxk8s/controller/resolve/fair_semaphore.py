"""A semaphore that is fair to groups, and admits the waiters of each by priority."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Waiter:
    order: tuple[int, int]
    admitted: asyncio.Future[None] = field(compare=False)


@dataclass(slots=True)
class FairSemaphore:
    """Admits `limit` holders at a time: next is the group whose last turn was the longest ago.

    Of a group, the highest priority goes first, then the first that came. So a group that has many
    waiters, of whatever priority, delays those of others by one holder at most.
    """

    limit: int
    _holders: int = 0
    _arrivals: int = 0
    _groups: dict[str, list[_Waiter]] = field(default_factory=dict)
    _turns: dict[str, int] = field(default_factory=dict)
    """The number of the last admission of each group."""
    _admissions: int = 0

    @asynccontextmanager
    async def acquire(self, group: str, priority: int) -> AsyncIterator[None]:
        """Wait for admission; the context holds it."""
        await self._wait(group, priority)
        try:
            yield
        finally:
            self._release()

    @property
    def waiting(self) -> int:
        """Number of waiters."""
        return sum(not each.admitted.done() for group in self._groups.values() for each in group)

    async def _wait(self, group: str, priority: int) -> None:
        if self._holders < self.limit:
            self._holders += 1
            self._count(group)
            return
        self._arrivals += 1
        admitted = asyncio.get_running_loop().create_future()
        waiters = self._groups.setdefault(group, [])
        heapq.heappush(waiters, _Waiter((-priority, self._arrivals), admitted))
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self._release()  # Admitted and cancelled at once: pass the admission on.
            raise

    def _release(self) -> None:
        while self._groups:
            name = min(self._groups, key=lambda group: self._turns.get(group, 0))
            waiters = self._groups[name]
            waiter = heapq.heappop(waiters)
            if not waiters:
                del self._groups[name]
            if not waiter.admitted.done():
                self._count(name)
                waiter.admitted.set_result(None)
                return
        self._holders -= 1

    def _count(self, group: str) -> None:
        self._admissions += 1
        self._turns[group] = self._admissions
