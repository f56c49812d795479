"""How many requests are under way at once."""

from __future__ import annotations

import threading

from voxk8s.storage.concurrency_limit import ConcurrencyLimit


def test_requests_that_fail_together_lower_the_limit_once() -> None:
    """A burst of errors is one sign of overload."""
    limit = ConcurrencyLimit(10, 2)
    rounds = [limit.acquire() for _ in range(10)]
    for started in rounds:
        limit.release(started, failed=True)
    assert limit.size == 7
    limit.release(limit.acquire(), failed=True)
    assert limit.size == 4


def test_the_limit_stays_within_its_bounds() -> None:
    """It neither stops the work nor grows for ever."""
    limit = ConcurrencyLimit(10, 2)
    for _ in range(20):
        limit.release(limit.acquire(), failed=True)
    assert limit.size == 2
    for _ in range(200):
        limit.release(limit.acquire(), failed=False)
    assert limit.size == 10


def test_answers_raise_the_limit_by_one_a_round() -> None:
    """Four answers of four that may be under way make it five."""
    limit = ConcurrencyLimit(10, 4)
    for _ in range(10):
        limit.release(limit.acquire(), failed=True)
    for _ in range(5):
        limit.release(limit.acquire(), failed=False)
    assert limit.size == 5


def test_requests_wait_for_a_free_place() -> None:
    """The next one starts when one has ended."""
    limit = ConcurrencyLimit(1, 1)
    started = limit.acquire()
    second = threading.Event()

    def wait() -> None:
        limit.acquire()
        second.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not second.is_set()
    limit.release(started, failed=False)
    assert second.wait(30)
    thread.join()
