"""The progress line of a run on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from voxk8s.cli.time_left import time_left
from voxk8s.execution import Event, Progress
from voxk8s.execution.events import ProgressChanged, RunFinished

_EVERY = 0.2


class ProgressLine:
    """A listener that updates one line on a terminal, and prints a summary at the end."""

    def __init__(
        self, stream: TextIO, *, live: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write to `stream`: during the run if `live`, otherwise only at its end."""
        self._stream = stream
        self._live = live
        self._clock = clock
        self._last = float("-inf")

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        match event:
            case ProgressChanged(progress=progress):
                if self._live and self._clock() - self._last >= _EVERY:
                    self._last = self._clock()
                    left = time_left(progress.seconds_left)
                    self._write(f"\r\x1b[K{summary(progress)}{left and f', {left}'}")
            case RunFinished(progress=progress, seconds=seconds):
                start = "\r\x1b[K" if self._live else ""
                self._write(f"{start}{summary(progress)} in {seconds:.2f} s\n")
            case _:
                pass

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def summary(progress: Progress) -> str:
    """Return a summary: `12/40 operations: 3 computed, 9 known, 0 failed`."""
    return (
        f"{progress.done}/{progress.total} operations:"
        f" {progress.computed} computed, {progress.cached} known, {progress.failed} failed"
    )
