"""Progress for people: one line a step, with its seconds, on standard error."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_running: list[str] = []
"""Steps that have begun and not ended, of all threads: a terminal shows them in its last line."""


def say(text: str) -> None:
    """Print one line at once."""
    with _lock:
        _print(text)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print a step that may take long, and its duration when it ends; steps may overlap."""
    with _lock:
        _running.append(text)
        _draw()
    begin = time.monotonic()
    mark = "✗"
    try:
        yield
        mark = "✓"
    finally:
        seconds = time.monotonic() - begin
        with _lock:
            _running.remove(text)
            _print(f"  {mark} {text} ({seconds:.1f} s)")


def _print(text: str) -> None:
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", file=sys.stderr, flush=True)
    _draw()


def _draw() -> None:
    if sys.stderr.isatty() and _running:
        # Cut to one line: what wraps cannot be cleared again.
        line = f"  … {'; '.join(_running)}"[: shutil.get_terminal_size().columns - 1]
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
