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
    """Print a step that may take long, and its duration when it ends."""
    back = ""
    if sys.stderr.isatty():
        print(f"  … {text}", end="", file=sys.stderr, flush=True)
        back = "\r"
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        seconds = time.monotonic() - begin
        say(f"{back}  ✗ {text} ({seconds:.1f} s)")
        raise
    seconds = time.monotonic() - begin
    say(f"{back}  ✓ {text} ({seconds:.1f} s)")
