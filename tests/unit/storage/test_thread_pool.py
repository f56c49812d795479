"""Calls for many keys in threads."""

from __future__ import annotations

import threading

import pytest

from tests.support.waiting import wait_until
from voxk8s.storage.thread_pool import ThreadPool


def test_results_are_mapped_by_item() -> None:
    """Each item is called once, also one that is listed twice."""
    calls: list[int] = []

    def double(number: int) -> int:
        calls.append(number)
        return 2 * number

    assert ThreadPool(4).map(double, [1, 2, 3, 2]) == {1: 2, 2: 4, 3: 6}
    assert sorted(calls) == [1, 2, 3]


def test_one_error_does_not_stop_the_other_calls() -> None:
    """All items are called, and the error is raised at the end."""
    calls: list[int] = []

    def fail(number: int) -> None:
        calls.append(number)
        if number % 10 == 3:
            raise ValueError(number)

    with pytest.raises(ValueError, match=r"3"):
        ThreadPool(1).map(fail, range(100))
    assert sorted(calls) == list(range(100))


def test_three_errors_in_a_row_stop_all_calls() -> None:
    """Items that have not started are not called any more."""
    calls: list[int] = []

    def fail(number: int) -> None:
        calls.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"[0-4]"):
        ThreadPool(2).map(fail, range(1000))
    assert len(calls) <= 4


def test_calls_run_in_parallel() -> None:
    """Two calls that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=30)
    assert len(ThreadPool(2).map(lambda _: barrier.wait(), "ab")) == 2


def test_a_submitted_call_is_waited_for_by_its_callable() -> None:
    """The callable returns the result of the call."""
    assert ThreadPool(1).submit(lambda: 5)() == 5


def test_a_long_map_does_not_hold_up_a_short_one() -> None:
    """Both go on by turns, although the pool has one thread."""
    pool = ThreadPool(1)
    short_ended = threading.Event()

    def short() -> None:
        assert pool.map(str, [1, 2]) == {1: "1", 2: "2"}
        short_ended.set()

    thread = threading.Thread(target=short)

    def call(number: int) -> bool:
        if number == 0:
            thread.start()
            # It has queued its calls behind this one.
            wait_until(lambda: pool._executor()._work_queue.qsize() > 0)
        return number != 900 or short_ended.wait(30)

    assert all(pool.map(call, range(1000)).values())
    thread.join()


def test_a_call_that_ends_its_thread_is_an_error() -> None:
    """Nobody waits for ever."""

    def leave(_: int) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        ThreadPool(2).map(leave, range(10))
