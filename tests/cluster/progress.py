"""Progress for people: one line a step, with its seconds, on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Print one line at once."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step that may take long, and say how long it took."""
    terminal = sys.stderr.isatty()
    if terminal:
        print(f"  … {text}", end="", file=sys.stderr, flush=True)
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        seconds = time.monotonic() - begin
        say(f"{'\r' if terminal else ''}  ✗ {text} ({seconds:.1f} s)")
        raise
    seconds = time.monotonic() - begin
    say(f"{'\r' if terminal else ''}  ✓ {text} ({seconds:.1f} s)")
