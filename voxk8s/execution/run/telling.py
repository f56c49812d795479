"""Tells listeners what happens, and counts not more often than they are worth."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from voxk8s.execution.events import Event, Listener, Progress, ProgressChanged

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.1
"""Counts are told at most this often."""


class Teller:
    """Calls listeners in order; one that fails does not stop the run."""

    def __init__(
        self, listeners: Sequence[Listener], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._listeners = listeners
        self._clock = clock
        self._next = 0.0

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener failed; the run goes on")

    def progress(self, count: Callable[[], Progress], *, force: bool = False) -> None:
        """Tell the counts if it is time to, or in any case."""
        now = self._clock()
        if force or now >= self._next:
            self._next = now + PROGRESS_SECONDS
            self(ProgressChanged(count()))
