"""The operations that threads of this process compute at the moment, for people who wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_running: dict[int, tuple[str, float]] = {}
"""Kernel and start, by thread. One dictionary access is atomic, so that no lock costs time."""


def began(kernel: str, clock: Callable[[], float] = time.monotonic) -> None:
    """Note that this thread computes an operation."""
    _running[threading.get_ident()] = kernel, clock()


def ended() -> None:
    """Note that it does not any more."""
    _running.pop(threading.get_ident(), None)


def running(clock: Callable[[], float] = time.monotonic) -> list[tuple[str, float]]:
    """Return the kernels that run, with their seconds so far; the longest first."""
    now = clock()
    found = [(kernel, now - start) for kernel, start in tuple(_running.values())]
    return sorted(found, key=lambda each: -each[1])
