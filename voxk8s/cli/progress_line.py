"""The progress of a run: one line on a terminal that is kept up to date, else a line a minute.

Rejected: a library such as rich. It takes 0.2 s to import, and a known plan is done in 0.3 s.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import Final, Self, TextIO

from voxk8s.cli.terminal_text import CLEAR, cut, elapsed
from voxk8s.cli.time_left import time_left
from voxk8s.execution import Event, Progress
from voxk8s.execution.events import ProgressChanged, RunFinished
from voxk8s.execution.worker.running_now import running
from voxk8s.memory import resident_bytes

_EVERY: Final = 0.5
_PLAIN_EVERY: Final = 60.0
_LONG: Final = 1.0
"""Seconds after which an operation is worth a name."""


class ProgressLine:
    """A listener and context manager that shows how far a run is, and prints a summary at the end.

    Its thread shows what runs also while nothing ends; it ends with the block.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        live: bool,
        clock: Callable[[], float] = time.monotonic,
        busy: Callable[[], list[tuple[str, float]]] = running,
        memory: Callable[[], int] = resident_bytes,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        """Write to `stream`; `live` is whether it is a terminal."""
        self._stream = stream
        self._live = live
        self._clock = clock
        self._busy = busy
        self._memory = memory
        self._columns = columns
        self._began = self._last = clock()
        self._progress: Progress | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._ticker is not None:
            self._ticker.join()
            with self._lock:
                if self._live and self._progress is not None:
                    self._write(CLEAR)  # there was no end

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        match event:
            case ProgressChanged(progress=progress):
                with self._lock:
                    self._progress = progress
                self.tick()
                if self._ticker is None and not self._over.is_set():
                    self._ticker = threading.Thread(target=self._tick, daemon=True)
                    self._ticker.start()
            case RunFinished(progress=progress, seconds=seconds):
                with self._lock:
                    self._over.set()
                    self._progress = None
                    start = CLEAR if self._live else ""
                    self._write(f"{start}{summary(progress)} in {seconds:.2f} s\n")
            case _:
                pass

    def tick(self) -> None:
        """Show what there is, if the last time was long ago."""
        with self._lock:
            now = self._clock()
            wait = _EVERY if self._live else _PLAIN_EVERY
            if self._progress is None or now - self._last < wait:
                return
            self._last = now
            text = self._text(self._progress, now - self._began)
            if self._live:
                self._write(f"{CLEAR}{cut(text, self._columns() - 1)}")
            else:
                self._write(f"voxk8s: {text}\n")

    def _tick(self) -> None:
        while not self._over.wait(_EVERY):
            self.tick()

    def _text(self, progress: Progress, seconds: float) -> str:
        parts = [summary(progress), elapsed(seconds)]
        if left := time_left(progress.seconds_left):
            parts.append(left)
        if size := self._memory():
            parts.append(f"{size / 1e9:.1f} GB")
        parts += [f"{kernel} {elapsed(each)}" for kernel, each in self._busy() if each >= _LONG]
        return ", ".join(parts)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def summary(progress: Progress) -> str:
    """Return a summary: `12/40 operations: 3 computed, 9 known, 0 failed`."""
    return (
        f"{progress.done}/{progress.total} operations:"
        f" {progress.computed} computed, {progress.cached} known, {progress.failed} failed"
    )
