"""Places that are taken in turn, by whoever waits with the highest priority."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Ticket:
    order: tuple[int, int]
    turn: asyncio.Future[None] = field(compare=False)


@dataclass(slots=True)
class PrioritySemaphore:
    """So many `places`; among those who wait the highest priority is next, then who came first."""

    places: int
    _taken: int = 0
    _count: int = 0
    _waiting: list[_Ticket] = field(default_factory=list)

    @asynccontextmanager
    async def take(self, priority: int) -> AsyncIterator[None]:
        """Wait for a place, and hold it."""
        await self._wait(priority)
        try:
            yield
        finally:
            self._next()

    def __len__(self) -> int:
        """Count those who wait."""
        return sum(not ticket.turn.done() for ticket in self._waiting)

    async def _wait(self, priority: int) -> None:
        if self._taken < self.places:
            self._taken += 1
            return
        self._count += 1
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Ticket((-priority, self._count), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()  # the place was ours already: hand it on
            raise

    def _next(self) -> None:
        while self._waiting:
            ticket = heapq.heappop(self._waiting)
            if not ticket.turn.done():
                ticket.turn.set_result(None)
                return
        self._taken -= 1
