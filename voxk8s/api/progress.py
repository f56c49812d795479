"""Progress as users see it, `12/40`: operations that need no more work, and all of them."""

from __future__ import annotations


def advance(before: str | None, done: int, total: int) -> str:
    """Give the progress text; it never goes down.

    `before` is the text so far: what was done counts on, though a restart may have to compute
    again what was not stored.
    """
    best = max(done, read_done(before))
    return f"{min(best, total)}/{total}"


def read_done(progress: str | None) -> int:
    """Give the operations that are done by a progress text; 0 for none or another text."""
    done = (progress or "").partition("/")[0]
    return int(done) if done.isascii() and done.isdigit() else 0
