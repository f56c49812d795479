"""The work queue."""

from __future__ import annotations

import asyncio

import pytest

from voxk8s.controller.work_queue import Backoff, ObjectKey, QueueClosed, WorkQueue

A, B = ObjectKey("ns", "a"), ObjectKey("ns", "b")


class Clock:
    """A time that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Time zero."""
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue:
    """An empty queue whose chance is always zero."""
    return WorkQueue(clock, Backoff(first=1.0, most=8.0), chance=lambda: 0.0)


async def taken(queue: WorkQueue) -> ObjectKey | None:
    """Give what the queue has to give at once, or None."""
    try:
        return await asyncio.wait_for(queue.get(), 0.01)
    except TimeoutError:
        return None


async def test_a_name_is_queued_once(queue: WorkQueue) -> None:
    """A name added twice is given once."""
    queue.add(A)
    queue.add(A)
    assert await taken(queue) == A
    queue.done(A)
    assert await taken(queue) is None


async def test_a_busy_name_is_given_again_only_afterwards(queue: WorkQueue) -> None:
    """A name that is added while it is worked on comes back once it is done."""
    queue.add(A)
    assert await taken(queue) == A
    queue.add(A)
    assert await taken(queue) is None
    queue.done(A)
    assert await taken(queue) == A


async def test_order_is_first_come_first_served(queue: WorkQueue) -> None:
    """Names come in the order in which they were added."""
    queue.add(B)
    queue.add(A)
    assert [await taken(queue), await taken(queue)] == [B, A]


async def test_a_delayed_name_waits_for_its_time(queue: WorkQueue, clock: Clock) -> None:
    """A delayed name is given when its time has come, at the earliest of its wishes."""
    queue.add_after(A, 10)
    queue.add_after(A, 5)
    queue.add_after(A, 20)
    assert await taken(queue) is None
    clock.now = 5.0
    assert await taken(queue) == A
    queue.done(A)
    clock.now = 30.0
    assert await taken(queue) is None


async def test_adding_now_replaces_the_wish_for_later(queue: WorkQueue, clock: Clock) -> None:
    """A name that is added at once is not given a second time by its older delay."""
    queue.add_after(A, 5)
    queue.add(A)
    assert await taken(queue) == A
    queue.done(A)
    clock.now = 6.0
    assert await taken(queue) is None


async def test_failures_back_off_by_themselves(queue: WorkQueue) -> None:
    """Delays double for each failure of a name up to a limit; success and others start anew."""
    assert [queue.add_failed(A) for _ in range(5)] == [1, 2, 4, 8, 8]
    assert queue.add_failed(B) == 1
    queue.forget_failures(A)
    assert queue.add_failed(A) == 1


def test_jitter_shortens_the_delay() -> None:
    """Jitter takes away at most its share."""
    backoff = Backoff(first=1.0, most=8.0, jitter=0.5)
    assert backoff.delay(1, lambda: 0.999) == pytest.approx(0.5, abs=0.01)
    assert backoff.delay(1000, lambda: 0.0) == 8.0


async def test_a_waiting_worker_wakes_up(queue: WorkQueue) -> None:
    """Workers that wait get what is added later, one name each."""
    waiting = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(B)
    assert set(await asyncio.wait_for(asyncio.gather(*waiting), 1)) == {A, B}


async def test_a_waiting_worker_sees_a_delay_end() -> None:
    """A worker that waits wakes up when a delay is over, by the real clock."""
    loop = asyncio.get_running_loop()
    queue = WorkQueue(loop.time)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_after(A, 0.02)
    assert await asyncio.wait_for(waiting, 1) == A


async def test_closing_ends_the_workers(queue: WorkQueue) -> None:
    """A closed queue gives nothing more and ends all who wait."""
    waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.close()
    queue.add(A)
    ends = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
    assert all(isinstance(end, QueueClosed) for end in ends)


async def test_forgetting_drops_the_wish_for_later(queue: WorkQueue, clock: Clock) -> None:
    """A stuck_autoscalers name is not given any more and has no failures."""
    queue.add_failed(A)
    queue.forget(A)
    clock.now = 100.0
    assert await taken(queue) is None
    assert queue.failures(A) == 0
