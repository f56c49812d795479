"""The API server's time, as its responses tell it.

Ages of objects are differences to time stamps that the API server made. On a machine whose clock
is 15 s ahead, an object is 15 s old when it is created, by the clock of the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache


def _local_time() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=8)  # all answers of a second have the same header
def _seconds(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()


@dataclass(slots=True)
class ServerClock:
    """Estimates the API server's time; until a response has told it, the time of this machine.

    A response of the second S, sent at `sent` and received at `received` by `clock`, was made
    between the two, and in the server's time between S and S + 1. The intersection of all these
    intervals is narrow after a few requests. If it is empty, a clock was set, or another API
    server answers: the estimate begins anew. `clock` is in seconds and is never set.
    """

    clock: Callable[[], float] = time.monotonic
    local: Callable[[], datetime] = _local_time
    _earliest: float = 0.0
    _latest: float = 0.0
    _known: bool = False

    def note(self, date: str | None, sent: float, received: float) -> None:
        """Learn from a response with the header `Date`."""
        try:
            second = _seconds(date or "")
        except ValueError:
            return
        earliest, latest = second - received, second + 1.0 - sent
        if self._known and max(earliest, self._earliest) <= min(latest, self._latest):
            earliest, latest = max(earliest, self._earliest), min(latest, self._latest)
        self._earliest, self._latest, self._known = earliest, latest, True

    def now(self) -> datetime:
        """Return the API server's time."""
        if not self._known:
            return self.local()
        seconds = (self._earliest + self._latest) / 2 + self.clock()
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
