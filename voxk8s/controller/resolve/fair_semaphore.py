"""A semaphore of which groups get equal shares of time, and in each the highest priority is next.

This is start-time fair queueing (Goyal, Vin and Cheng, 1996): the time of holders is added up by
group, and a group that comes after a rest begins where the others are. So nobody saves up time, and
nobody who holds much for long takes it from others.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

_FORGET: Final = 1000
"""Number of groups from which on those that wait for nothing are forgotten, if they owe nothing."""


@dataclass(slots=True)
class Admission:
    """What a holder has; `cost` is what its group pays: as expected, unless the holder changes it.

    Any unit will do, if all holders use the same one.
    """

    cost: float


@dataclass(order=True, slots=True)
class _Waiter:
    order: tuple[int, float, int]
    admitted: asyncio.Future[None] = field(compare=False)

    @property
    def cost(self) -> float:
        """What it is expected to cost."""
        return self.order[1]


@dataclass(slots=True)
class FairSemaphore:
    """Admits `limit` holders at a time: next is the group that has least, with what it asks for.

    Of a group, the highest priority goes first, then the cheapest, then the first that came. So a
    group that has many waiters, of whatever priority, delays those of others by one holder at most,
    and cheap waiters go before dear ones of other groups, until their group has had as much.
    """

    limit: int
    _holders: int = 0
    _arrivals: int = 0
    _waiting: int = 0
    _groups: dict[str, list[_Waiter]] = field(default_factory=dict)
    _spent: dict[str, float] = field(default_factory=dict)
    """What each group has had, in the time of `_begun`."""
    _begun: float = 0.0
    """What the group had that was admitted last: those that come begin here."""

    @asynccontextmanager
    async def acquire(
        self, group: str, priority: int, cost: float = 1.0
    ) -> AsyncIterator[Admission]:
        """Wait for admission; the context holds it."""
        await self._wait(group, priority, cost)
        admission = Admission(cost)
        try:
            yield admission
        finally:
            self._spent[group] = self._spent.get(group, 0.0) + admission.cost - cost
            self._release()

    @property
    def waiting(self) -> int:
        """Number of waiters."""
        return self._waiting

    def waiting_by_group(self) -> dict[str, int]:
        """Return the number of waiters of each group that has any, cancelled ones included."""
        return {name: len(waiters) for name, waiters in self._groups.items()}

    async def _wait(self, group: str, priority: int, cost: float) -> None:
        if group not in self._groups:
            self._spent[group] = max(self._spent.get(group, 0.0), self._begun)
        if self._holders < self.limit:
            self._holders += 1
            self._pay(group, cost)
            return
        self._arrivals += 1
        admitted = asyncio.get_running_loop().create_future()
        waiters = self._groups.setdefault(group, [])
        heapq.heappush(waiters, _Waiter((-priority, cost, self._arrivals), admitted))
        self._waiting += 1
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self._spent[group] = self._spent.get(group, 0.0) - cost
                self._release()  # Admitted and cancelled at once: pass the admission on.
            raise
        finally:
            self._waiting -= 1

    def _release(self) -> None:
        while self._groups:
            name = min(self._groups, key=self._tag)
            waiters = self._groups[name]
            waiter = heapq.heappop(waiters)
            if not waiters:
                del self._groups[name]
            if not waiter.admitted.done():
                self._pay(name, waiter.cost)
                waiter.admitted.set_result(None)
                return
        self._holders -= 1
        if not self._holders:
            self._spent.clear()  # nobody waits: nobody owes anything
            self._begun = 0.0

    def _tag(self, group: str) -> tuple[float, int]:
        """Return what a group will have had after its next waiter, and when that one came."""
        first = self._groups[group][0]
        return self._spent[group] + first.cost, first.order[2]

    def _pay(self, group: str, cost: float) -> None:
        self._begun = max(self._begun, self._spent[group])
        self._spent[group] += cost
        if len(self._spent) > _FORGET + len(self._groups):
            self._spent = {
                name: spent
                for name, spent in self._spent.items()
                if spent > self._begun or name in self._groups
            }
