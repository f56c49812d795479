"""A semaphore that admits waiters by priority."""

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
class PrioritySemaphore:
    """Admits `limit` holders at a time: the highest priority first, then in order of arrival."""

    limit: int
    _holders: int = 0
    _arrivals: int = 0
    _waiters: list[_Waiter] = field(default_factory=list)

    @asynccontextmanager
    async def acquire(self, priority: int) -> AsyncIterator[None]:
        """Wait for admission; the context holds it."""
        await self._wait(priority)
        try:
            yield
        finally:
            self._release()

    @property
    def waiting(self) -> int:
        """Number of waiters."""
        return sum(not waiter.admitted.done() for waiter in self._waiters)

    async def _wait(self, priority: int) -> None:
        if self._holders < self.limit:
            self._holders += 1
            return
        self._arrivals += 1
        admitted = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, _Waiter((-priority, self._arrivals), admitted))
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self._release()  # Admitted and cancelled at once: pass the admission on.
            raise

    def _release(self) -> None:
        while self._waiters:
            waiter = heapq.heappop(self._waiters)
            if not waiter.admitted.done():
                waiter.admitted.set_result(None)
                return
        self._holders -= 1
