"""How many requests a store client has under way: fewer when requests fail.

The limit follows additive increase and multiplicative decrease, as TCP's window: it falls when the
store is overloaded or does not answer, and rises by about one for each round of requests that are
answered.
"""

from __future__ import annotations

import threading
from typing import Final

MOST: Final = 64
LEAST: Final = 4
"""Errors that have nothing to do with the load must not stop the work."""
_DECREASE: Final = 0.7


class ConcurrencyLimit:
    """A semaphore whose size follows the answers of a store. Safe in threads."""

    def __init__(self, most: int = MOST, least: int = LEAST) -> None:
        """Start with `most` requests at once."""
        self._most = most
        self._least = least
        self._size = float(most)
        self._running = 0
        self._round = 0
        self._changed = threading.Condition()

    @property
    def size(self) -> int:
        """How many requests may be under way now."""
        return int(self._size)

    def acquire(self) -> int:
        """Wait until a request may start; return the round in which it starts, for `release`."""
        with self._changed:
            while self._running >= int(self._size):
                self._changed.wait()
            self._running += 1
            return self._round

    def release(self, started: int, *, failed: bool) -> None:
        """Note the end of a request that started in a round, and whether it failed.

        Requests that were under way together lower the limit once.
        """
        with self._changed:
            self._running -= 1
            if not failed:
                self._size = min(self._most, self._size + 1 / self._size)
            elif started == self._round:
                self._size = max(self._least, self._size * _DECREASE)
                self._round += 1
            self._changed.notify(2)
