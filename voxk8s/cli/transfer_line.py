"""The progress of files that are sent or fetched: a line on a terminal, and one for each file."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import TextIO

from voxk8s.cli.terminal_text import CLEAR, cut, size_text
from voxk8s.cli.time_left import time_left
from voxk8s.redact import visible

_EVERY = 0.2


class TransferLine:
    """Counts bytes of `total`, from several threads; writes nothing if `quiet`."""

    def __init__(
        self,
        stream: TextIO,
        total: int,
        *,
        live: bool,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._total = total
        self._live = live and not quiet
        self._quiet = quiet
        self._clock = clock
        self._began = clock()
        self._last = float("-inf")
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes."""
        with self._lock:
            self._bytes += count
            now = self._clock()
            if not self._live or now - self._last < _EVERY:
                return
            self._last = now
            rate = self._bytes / max(now - self._began, 0.01)
            left = time_left((self._total - self._bytes) / rate) if rate else ""
            text = (
                f"{size_text(self._bytes)} of {size_text(self._total)},"
                f" {size_text(rate)}/s{left and f', {left}'}"
            )
            self._stream.write(f"{CLEAR}{cut(text, shutil.get_terminal_size().columns - 1)}")
            self._stream.flush()

    def done(self, text: str) -> None:
        """Write a line about something that is complete."""
        with self._lock:
            if not self._quiet:
                start = CLEAR if self._live else ""
                self._stream.write(f"{start}voxk8s: {visible(text)}\n")
                self._stream.flush()
                self._last = float("-inf")

    def clear(self) -> None:
        """Remove the line, for good: threads may go on after an interrupt."""
        with self._lock:
            if self._live:
                self._stream.write(CLEAR)
                self._stream.flush()
            self._live = False
