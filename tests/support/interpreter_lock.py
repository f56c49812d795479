"""How long a function keeps all other threads from running Python."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

_TICK = 5e-5
"""Seconds between two attempts of the observing thread to run Python."""


@dataclass(frozen=True)
class Hold:
    """Seconds of processor time of one call: in all, and longest without a look of the observer."""

    total: float
    longest: float

    @property
    def share(self) -> float:
        """Return the longest stretch as a share of the whole."""
        return self.longest / self.total if self.total else 0.0


def observe(function: Callable[[], object]) -> Hold:
    """Call a function in a thread, and see how far it gets between two looks at it.

    A function that holds the interpreter's lock from begin to end is not seen before it is done.
    The processor time is that of the thread: it stands still while other processes have its core.
    """
    ready, start, done = threading.Event(), threading.Event(), threading.Event()
    ends: list[float] = []

    def work() -> None:
        ready.set()
        start.wait()
        begin = time.thread_time()
        try:
            function()
        finally:
            ends.extend((begin, time.thread_time()))
            done.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    looks = [time.clock_gettime(clock)]
    with _quick_switches():
        start.set()
        while not done.is_set():
            looks.append(time.clock_gettime(clock))
            time.sleep(_TICK)
    thread.join()
    begin, end = ends
    looks = [begin, *(look for look in looks if begin < look < end), end]
    longest = max(after - before for before, after in pairwise(looks))
    return Hold(end - begin, longest)


@contextmanager
def _quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
