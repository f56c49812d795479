"""The work queue."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.controller.work_queue import Backoff, ObjectKey, QueueClosed, WorkQueue

A, B = ObjectKey("ns", "a"), ObjectKey("ns", "b")


class Clock:
    """A clock that the test sets."""

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
    """An empty queue without jitter."""
    return WorkQueue(clock, Backoff(first=1.0, most=8.0), chance=lambda: 0.0)


async def taken(queue: WorkQueue) -> ObjectKey | None:
    """Return the key that the queue has ready, or None."""
    try:
        return await asyncio.wait_for(queue.get(), 0.01)
    except TimeoutError:
        return None


async def test_key_is_queued_once(queue: WorkQueue) -> None:
    """A key added twice is returned once."""
    queue.add(A)
    queue.add(A)
    assert await taken(queue) == A
    queue.done(A)
    assert await taken(queue) is None


async def test_busy_key_is_queued_again(queue: WorkQueue) -> None:
    """A key that is added while it is being worked on is returned again after `done`."""
    queue.add(A)
    assert await taken(queue) == A
    queue.add(A)
    assert await taken(queue) is None
    queue.done(A)
    assert await taken(queue) == A


async def test_order(queue: WorkQueue) -> None:
    """Keys are returned in the order in which they were added."""
    queue.add(B)
    queue.add(A)
    assert [await taken(queue), await taken(queue)] == [B, A]


async def test_delays(queue: WorkQueue, clock: Clock) -> None:
    """Of several delays of a key the one that ends first counts."""
    queue.add_after(A, 10)
    queue.add_after(A, 5)
    queue.add_after(A, 20)
    assert await taken(queue) is None
    clock.now = 5.0
    assert await taken(queue) == A
    queue.done(A)
    clock.now = 30.0
    assert await taken(queue) is None


async def test_adding_cancels_the_delay(queue: WorkQueue, clock: Clock) -> None:
    """Adding a key cancels its delay."""
    queue.add_after(A, 5)
    queue.add(A)
    assert await taken(queue) == A
    queue.done(A)
    clock.now = 6.0
    assert await taken(queue) is None


async def test_backoff(queue: WorkQueue) -> None:
    """The delay doubles with each failure of a key up to a limit, and a success resets it."""
    assert [queue.add_failed(A) for _ in range(5)] == [1, 2, 4, 8, 8]
    assert queue.add_failed(B) == 1
    queue.forget_failures(A)
    assert queue.add_failed(A) == 1


def test_jitter() -> None:
    """Jitter shortens the delay by at most its fraction."""
    backoff = Backoff(first=1.0, most=8.0, jitter=0.5)
    assert backoff.delay(1, lambda: 0.999) == pytest.approx(0.5, abs=0.01)
    assert backoff.delay(1000, lambda: 0.0) == 8.0


async def test_waiting_workers_wake_up(queue: WorkQueue) -> None:
    """Waiting workers get keys that are added later, one each."""
    waiting = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(B)
    assert set(await asyncio.wait_for(asyncio.gather(*waiting), 1)) == {A, B}


async def test_waiting_worker_sees_a_delay_end() -> None:
    """A waiting worker wakes up when a delay ends."""
    loop = asyncio.get_running_loop()
    queue = WorkQueue(loop.time)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_after(A, 0.02)
    assert await asyncio.wait_for(waiting, 1) == A


async def test_cancelled_while_it_wakes_up(queue: WorkQueue) -> None:
    """A worker that is cancelled in the moment in which it gets a key ends nevertheless."""
    queue.add_after(A, 60)
    for turns in range(5):
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0.01)
        queue._wake.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 1)


async def test_close_ends_the_workers(queue: WorkQueue) -> None:
    """After `close` all waiting workers get QueueClosed."""
    waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.close()
    queue.add(A)
    ends = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
    assert all(isinstance(end, QueueClosed) for end in ends)


async def test_forget_drops_delays(queue: WorkQueue, clock: Clock) -> None:
    """A stuck_autoscalers name is not given any more and has no failures."""
    queue.add_failed(A)
    queue.forget(A)
    clock.now = 100.0
    assert await taken(queue) is None
    assert queue.failures(A) == 0


async def test_changes_do_not_cut_a_backoff_short(queue: WorkQueue, clock: Clock) -> None:
    """A key that failed waits, however often it is added meanwhile; a success ends that."""
    queue.add(A)
    assert await taken(queue) == A
    assert queue.add_failed(A) == 1.0
    queue.add(A)
    queue.done(A)
    queue.add(A)
    assert await taken(queue) is None
    clock.now = 1.0
    assert await taken(queue) == A
    assert queue.add_failed(A, at_least=5.0) == 5.0
    queue.done(A)
    clock.now = 5.9
    assert await taken(queue) is None
    clock.now = 6.0
    assert await taken(queue) == A
    queue.forget_failures(A)
    queue.done(A)
    queue.add(A)
    assert await taken(queue) == A


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "after", "failed", "forget", "work", "wait"]),
            st.sampled_from([A, B, ObjectKey("ns", "c")]),
            st.floats(0.1, 600_000),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 100),
)
def test_delays_take_no_more_memory_than_keys(
    steps: list[tuple[str, ObjectKey, float]], times: int
) -> None:
    """Whatever is queued, forgotten and failed over and over, the heap has what is due."""
    clock = Clock()
    queue = WorkQueue(clock, Backoff(jitter=0.0))
    for step, key, seconds in steps * times:
        match step:
            case "add":
                queue.add(key)
            case "after":
                queue.add_after(key, seconds)
            case "failed":
                queue.add_failed(key)
            case "forget":
                queue.forget(key)
            case "wait":
                clock.now += seconds
            case _:
                work(queue)
    assert len(queue._heap) <= 2 * len(queue._due) + 64
    assert {(due, key) for key, due in queue._due.items()} <= set(queue._heap)


def work(queue: WorkQueue) -> None:
    """Work on all keys that are ready."""
    queue._add_due()
    while queue._ready:
        key = queue._ready.popleft()
        queue._queued.discard(key)
        queue.done(key)


def test_a_delay_that_is_set_again_and_again(clock: Clock, queue: WorkQueue) -> None:
    """A finished WorkPlan waits for days, and is looked at every five minutes."""
    for _ in range(2000):
        queue.add(A)
        work(queue)
        queue.add_after(A, 604_800 - clock.now)
        clock.now += 300
    assert len(queue._due) == 1
    assert len(queue._heap) < 100
