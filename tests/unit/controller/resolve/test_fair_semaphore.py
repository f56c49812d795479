"""The semaphore that admits groups in turn."""

from __future__ import annotations

import asyncio

from tests.support.waiting import until
from voxk8s.controller.resolve.fair_semaphore import FairSemaphore


async def test_highest_priority_is_admitted_first() -> None:
    """Waiters are admitted by priority, those of one priority in order of arrival."""
    semaphore = FairSemaphore(1)
    admitted: list[str] = []

    async def hold(name: str, priority: int) -> None:
        async with semaphore.acquire("a", priority):
            admitted.append(name)

    async with semaphore.acquire("a", 0):
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
    semaphore = FairSemaphore(2)
    async with semaphore.acquire("a", 0), semaphore.acquire("a", 0):
        third = asyncio.create_task(semaphore.acquire("a", 0).__aenter__())
        await until(lambda: semaphore.waiting == 1)
        assert not third.done()
    await asyncio.wait_for(third, 5)


async def test_cancelled_waiter_passes_its_admission_on() -> None:
    """A waiter that is cancelled while it is being admitted does not keep the slot."""
    semaphore = FairSemaphore(1)
    holder = semaphore.acquire("a", 0)
    await holder.__aenter__()
    cancelled = asyncio.create_task(semaphore.acquire("a", 5).__aenter__())
    following = asyncio.create_task(semaphore.acquire("a", 0).__aenter__())
    await until(lambda: semaphore.waiting == 2)
    await holder.__aexit__(None, None, None)
    cancelled.cancel()
    await asyncio.wait_for(following, 5)
    assert cancelled.cancelled() or cancelled.done()


async def test_groups_take_turns() -> None:
    """One waiter of each group is admitted, then the next of each; priorities count within."""
    semaphore = FairSemaphore(1)
    admitted: list[str] = []

    async def hold(name: str, priority: int) -> None:
        async with semaphore.acquire(name[0], priority):
            admitted.append(name)

    async with semaphore.acquire("x", 0):
        names = [("a1", 9), ("a2", 9), ("b1", 0), ("b2", 1), ("c1", -9)]
        tasks = [asyncio.create_task(hold(*each)) for each in names]
        await until(lambda: semaphore.waiting == 5)
    await asyncio.gather(*tasks)
    assert admitted == ["a1", "b2", "c1", "a2", "b1"]


async def test_cancelled_waiters_cost_their_group_no_turn() -> None:
    """A group whose first waiters have gone is admitted next all the same."""
    semaphore = FairSemaphore(1)
    holder = semaphore.acquire("x", 0)
    await holder.__aenter__()
    gone = asyncio.create_task(semaphore.acquire("a", 9).__aenter__())
    first = asyncio.create_task(semaphore.acquire("a", 0).__aenter__())
    other = asyncio.create_task(semaphore.acquire("b", 0).__aenter__())
    await until(lambda: semaphore.waiting == 3)
    gone.cancel()
    await until(lambda: semaphore.waiting == 2)
    await holder.__aexit__(None, None, None)
    await asyncio.wait_for(first, 5)
    assert not other.done()
    other.cancel()
