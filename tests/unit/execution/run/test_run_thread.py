"""Calls that Ctrl-C does not break off between two of their steps."""

from __future__ import annotations

import contextvars
import signal
import threading
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

from voxk8s.execution.run.run_thread import LateValue, call_in_thread

WORD = contextvars.ContextVar("WORD", default="")


def _interrupt() -> None:
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


def _in_another_thread(call: Callable[[], Any]) -> list[Any]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found


def test_the_main_thread_only_waits() -> None:
    """A function runs in another thread, with the context of its caller."""
    WORD.set("said")
    seen = call_in_thread(lambda: (threading.current_thread(), WORD.get()), lambda: None)
    assert seen[0] is not threading.main_thread()
    assert seen[1] == "said"


def test_another_thread_calls_itself() -> None:
    """Where no KeyboardInterrupt comes no thread is started."""
    pairs = _in_another_thread(
        lambda: (threading.current_thread(), call_in_thread(threading.current_thread, lambda: None))
    )
    assert [one is other for one, other in pairs] == [True]


def test_what_a_function_raises_is_raised() -> None:
    """Also what is no Exception."""

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        call_in_thread(leave, lambda: None)


def test_an_interrupted_caller_cancels_and_waits_for_the_end() -> None:
    """The function ends by itself before KeyboardInterrupt is raised."""
    cancelled, steps = threading.Event(), []

    def work() -> None:
        _interrupt()
        assert cancelled.wait(30)
        steps.append("ended")

    with pytest.raises(KeyboardInterrupt):
        call_in_thread(work, cancelled.set)
    assert steps == ["ended"]


def test_an_interrupted_caller_gets_the_value_that_came_in_time() -> None:
    """It is the cause of the KeyboardInterrupt."""
    cancelled = threading.Event()

    def work() -> str:
        _interrupt()
        assert cancelled.wait(30)
        return "partial"

    with pytest.raises(KeyboardInterrupt) as interrupted:
        call_in_thread(work, cancelled.set)
    late = interrupted.value.__cause__
    assert isinstance(late, LateValue)
    assert late.value == "partial"


class _LateLock:
    """A lock whose second acquisition is interrupted when it has succeeded."""

    def __init__(self) -> None:
        self._lock = threading.Semaphore()
        self.calls = 0

    def acquire(self, timeout: float | None = None) -> bool:
        """Acquire it; raises KeyboardInterrupt the second time."""
        self.calls += 1
        acquired = self._lock.acquire(timeout=timeout)
        if self.calls == 2:
            raise KeyboardInterrupt
        return acquired

    def release(self) -> None:
        """Release it."""
        self._lock.release()


def test_an_interruption_at_the_end_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function has ended already: nobody would end the wait."""
    lock = _LateLock()
    locks = chain([lock], iter(threading.Lock, None))
    monkeypatch.setattr(threading, "Lock", lambda: next(locks))
    with pytest.raises(KeyboardInterrupt):
        call_in_thread(lambda: None, lambda: None)
    assert lock.calls == 2


def test_a_second_interruption_does_not_wait() -> None:
    """Who presses Ctrl-C twice has the prompt at once, while what was cancelled goes on."""
    cancelled, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        _interrupt()
        assert cancelled.wait(30)
        _interrupt()
        assert may_end.wait(30)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        call_in_thread(work, cancelled.set)
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(30)
