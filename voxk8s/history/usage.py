"""Processor time and memory that a run uses over time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from voxk8s import report

MOST_SAMPLES: Final = 400
_STATM: Final = Path("/proc/self/statm")

Reading: TypeAlias = Callable[[], report.Usage | None]
"""Returns what is used now; None if that is not known at the moment."""


class UsageRecorder:
    """Keeps what runs use over time: when there is too much, every second sample is dropped."""

    def __init__(self, pause: float = 0.1) -> None:
        """Read every `pause` seconds at first, and at half the rate when samples are dropped."""
        self._pause = pause
        self._samples: list[report.Usage] = []

    @contextmanager
    def __call__(self, read: Reading) -> Iterator[None]:
        """Read what is used, in a thread of its own, as long as the context lasts."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(self._pause):
                self.add(read())

        threading.Thread(target=work, name="voxk8s-usage", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def samples(self) -> tuple[report.Usage, ...]:
        """Return what was kept."""
        return tuple(self._samples)

    def add(self, usage: report.Usage | None) -> None:
        """Add a sample, and make place for more."""
        if usage is not None:
            self._samples.append(usage)
        if len(self._samples) >= MOST_SAMPLES:
            self._samples = self._samples[::2]
            self._pause *= 2


def own_usage() -> Reading:
    """Return a function that reads what this process uses: the cores since its last call."""
    last = time.monotonic(), time.process_time()

    def read() -> report.Usage | None:
        nonlocal last
        now = time.monotonic(), time.process_time()
        passed = now[0] - last[0]
        cores = (now[1] - last[1]) / passed if passed > 0 else 0.0
        last = now
        memory = _resident()
        return None if memory is None else report.Usage(time.time(), cores, memory)

    return read


def _resident() -> int | None:
    """Return the bytes of memory that this process has, as far as Linux says."""
    try:
        pages = int(_STATM.read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
