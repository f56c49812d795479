"""The bytes that trust domains have in the default store, against the limit of the chart.

A store has no such limits of its own, or only for whole buckets. What is over it is found by
listing, now and then: a domain may exceed it by what it writes in between. What it has is read as
before, so that known work stays known.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from voxk8s.errors import StoreError, StoreFull
from voxk8s.storage import ResultStore

_log = logging.getLogger(__name__)
_AGE: Final = 300.0
"""Seconds for which a number of bytes is good enough."""
_SHARE: Final = 0.02
"""The part of the time that a store is listed at most: large ones are listed less often."""
_WAIT: Final = 2.0
"""Seconds from its start on for which the first look at a domain is waited for.

Until it is over nothing is refused.
"""


@dataclass(slots=True)
class _Usage:
    thread: threading.Thread | None = None
    began: float = 0.0
    bytes: int | None = None
    until: float = 0.0


@dataclass(slots=True)
class StoreUsage:
    """Counts of a process, by the URL of the store and the domain: credentials come and go."""

    clock: Callable[[], float] = time.monotonic
    _found: dict[tuple[str, str], _Usage] = field(default_factory=dict)

    def check(self, store: ResultStore, most: int) -> None:
        """Raise StoreFull, with what to do, if a domain has `most` bytes or more."""
        usage = self._found.setdefault((store.url, store.domains.own), _Usage())
        if usage.thread is None and self.clock() >= usage.until:
            usage.began = self.clock()
            usage.thread = threading.Thread(target=self._count, args=(store, usage), daemon=True)
            usage.thread.start()
        thread = usage.thread  # it may end at any time
        if usage.bytes is None and thread is not None:
            thread.join(max(0.0, usage.began + _WAIT - self.clock()))
        if usage.bytes is not None and usage.bytes >= most:
            raise StoreFull(
                f"The trust domain {store.domains.own} has {_gigabytes(usage.bytes)} in the store,"
                f" of {_gigabytes(most)} that it may have (the chart's store.maxBytes). Known"
                " results are delivered, new ones wait. Whoever keeps the store can delete old"
                " results by `voxk8s store gc`, or raise the limit; the store is listed again"
                " within minutes."
            )

    def _count(self, store: ResultStore, usage: _Usage) -> None:
        try:
            usage.bytes = store.size()
        except StoreError as error:
            _log.warning("cannot list the store %s for its size: %s", store.url, error)
        finally:
            end = self.clock()
            usage.until = end + max(_AGE, (end - usage.began) / _SHARE)
            usage.thread = None


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"


store_usage = StoreUsage()
"""The counts of this process."""
