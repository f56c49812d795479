"""How many operations the functions and loops of one plan may expand to.

A program of a few bytes can name millions of operations: the limit bounds what it costs to find out
what they are.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 1_000_000
"""The limit of a process that has not set a lower one."""
BYTES_PER_OPERATION: Final = 2048
"""Memory that an operation takes while its plan is made and resolved, at most."""

_limit = MOST


def expansion_limit() -> int:
    """Return the limit of this process."""
    return _limit


def set_expansion_limit(memory: int) -> None:
    """Set the limit of this process to what so many bytes of memory are enough for."""
    global _limit
    _limit = max(1, min(MOST, memory // BYTES_PER_OPERATION))
