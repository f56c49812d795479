"""The semaphore that admits groups in turn."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.waiting import until
from voxk8s.controller.resolve import fair_semaphore
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


async def admitted_after(
    semaphore: FairSemaphore, waiters: list[tuple[str, str, float, float]]
) -> list[str]:
    """Return the order of waiters (name, group, expected and real cost) behind one holder."""
    admitted: list[str] = []

    async def hold(name: str, group: str, expected: float, real: float) -> None:
        async with semaphore.acquire(group, 0, expected) as admission:
            admitted.append(name)
            admission.cost = real

    async with semaphore.acquire("first", 0, 1):
        tasks = []
        for number, waiter in enumerate(waiters, 1):
            tasks.append(asyncio.create_task(hold(*waiter)))
            await until(lambda number=number: semaphore.waiting == number)  # type: ignore[misc]
    await asyncio.gather(*tasks)
    return admitted


async def test_cheap_waiters_of_others_go_first() -> None:
    """Who asks for little does not wait for who asks for much, whoever came first."""
    waiters = [(f"dear {group}", group, 300.0, 300.0) for group in "abcd"]
    order = await admitted_after(FairSemaphore(1), [*waiters, ("cheap", "z", 2.0, 2.0)])
    assert order[0] == "cheap"


async def test_dear_waiters_are_not_starved() -> None:
    """A group that has had as much as another one asks for waits for it."""
    cheap = [(f"cheap {number}", "a", 1.0, 1.0) for number in range(10)]
    order = await admitted_after(FairSemaphore(1), [*cheap, ("dear", "z", 5.0, 5.0)])
    assert order.index("dear") == 5


async def test_what_counts_is_what_it_was() -> None:
    """Who took more than expected has its next turn later."""
    waiters = [
        ("a1", "a", 1.0, 30.0), ("b1", "b", 1.0, 1.0), ("a2", "a", 1.0, 1.0),
        ("b2", "b", 1.0, 1.0), ("b3", "b", 1.0, 1.0),
    ]  # fmt: skip
    assert await admitted_after(FairSemaphore(1), waiters) == ["a1", "b1", "b2", "b3", "a2"]


async def test_nobody_saves_up_time() -> None:
    """A group that was away begins where the others are, not with all that it did not use."""
    semaphore = FairSemaphore(2)
    waiters = [(f"new {number}", "new", 1.0, 1.0) for number in range(5)]
    async with semaphore.acquire("other", 0):
        for _ in range(100):
            async with semaphore.acquire("busy", 0):
                pass
        order = await admitted_after(semaphore, [*waiters, ("busy", "busy", 1.0, 1.0)])
    assert order.index("busy") <= 2


async def test_groups_of_the_past_are_forgotten() -> None:
    """What groups have had takes no memory for ever."""
    semaphore = FairSemaphore(1)
    for number in range(5000):
        async with semaphore.acquire(f"group {number}", 0):
            pass
    assert len(semaphore._spent) <= 1002


async def test_cancelled_at_once_among_very_many_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot comes back also if the group was forgotten between its admission and the end."""
    monkeypatch.setattr(fair_semaphore, "_FORGET", 0)
    semaphore = FairSemaphore(2)
    holders = [semaphore.acquire("a", 0), semaphore.acquire("dear", 0, 100.0)]
    for holder in holders:
        await holder.__aenter__()
    cancelled = asyncio.create_task(semaphore.acquire("cheap", 0, 0.1).__aenter__())
    following = asyncio.create_task(semaphore.acquire("dear", 0).__aenter__())
    await until(lambda: semaphore.waiting == 2)
    for holder in holders:
        await holder.__aexit__(None, None, None)
    cancelled.cancel()
    await asyncio.gather(cancelled, following, return_exceptions=True)
    assert cancelled.cancelled()
    await asyncio.wait_for(semaphore.acquire("a", 0).__aenter__(), 5)
