"""The semaphore that admits by priority."""

from __future__ import annotations

import asyncio

from tests.support.waiting import until
from voxk8s.controller.resolve.priority_semaphore import PrioritySemaphore


async def test_highest_priority_is_admitted_first() -> None:
    """Waiters are admitted by priority, those of one priority in order of arrival."""
    semaphore = PrioritySemaphore(1)
    admitted: list[str] = []

    async def hold(name: str, priority: int) -> None:
        async with semaphore.acquire(priority):
            admitted.append(name)

    async with semaphore.acquire(0):
        tasks = [
            asyncio.create_task(hold(name, priority))
            for name, priority in [("low", -1), ("first", 3), ("second", 3)]
        ]
        await until(lambda: semaphore.waiting == 3)
        assert admitted == []
    await asyncio.gather(*tasks)
    assert admitted == ["first", "second", "low"]
    assert semaphore.waiting == 0


async def test_limit_is_the_number_of_holders() -> None:
    """As many holders as the limit are admitted at once."""
    semaphore = PrioritySemaphore(2)
    async with semaphore.acquire(0), semaphore.acquire(0):
        third = asyncio.create_task(semaphore.acquire(0).__aenter__())
        await until(lambda: semaphore.waiting == 1)
        assert not third.done()
    await asyncio.wait_for(third, 5)


async def test_cancelled_waiter_passes_its_admission_on() -> None:
    """A waiter that is cancelled while it is being admitted does not keep the slot."""
    semaphore = PrioritySemaphore(1)
    holder = semaphore.acquire(0)
    await holder.__aenter__()
    cancelled = asyncio.create_task(semaphore.acquire(5).__aenter__())
    following = asyncio.create_task(semaphore.acquire(0).__aenter__())
    await until(lambda: semaphore.waiting == 2)
    await holder.__aexit__(None, None, None)
    cancelled.cancel()
    await asyncio.wait_for(following, 5)
    assert cancelled.cancelled() or cancelled.done()
