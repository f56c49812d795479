"""How long a run hears nothing of its tasks before it asks what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

QUIET_SECONDS: Final = 120.0
"""A run that has heard nothing for so long asks."""
MAX_QUIET_SECONDS: Final = 3600.0
"""Each time it asks again, it waits twice as long, up to this."""


class QuietWatch:
    """Tells when to ask, by the messages that came."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.heard()

    def heard(self) -> None:
        """Record that a message has come."""
        self._pause = QUIET_SECONDS
        self._due = self._clock() + self._pause

    def is_due(self) -> bool:
        """Whether it is time to ask; the next time comes later."""
        if self._clock() < self._due:
            return False
        self._pause = min(2 * self._pause, MAX_QUIET_SECONDS)
        self._due = self._clock() + self._pause
        return True
