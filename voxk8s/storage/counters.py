"""Counts of what happened at an open store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import add, attrgetter
from typing import Final


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened at a store.

    A value that was read is a hit or a miss; a key that was only looked up is known or unknown. A
    value that was put is created, or existing, or nondeterministic if the store had another one.
    `corrupt` objects were moved to quarantine, `healed` ones were repaired by a put. A request that
    was sent again is one of `requests`, and one of `retries` each time. In a folder, a request is
    an access to a file. Bytes are those of objects as they are stored.
    """

    hits: int = 0
    misses: int = 0
    known: int = 0
    unknown: int = 0
    created: int = 0
    existing: int = 0
    nondeterministic: int = 0
    corrupt: int = 0
    healed: int = 0
    requests: int = 0
    retries: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(*map(add, self.numbers, other.numbers))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The counts in the order of the fields."""
        return _numbers_of(self)


_NAMES: Final = tuple(each.name for each in fields(Counts))
_numbers_of: Final[Callable[[Counts], tuple[int, ...]]] = attrgetter(*_NAMES)


class Counters:
    """Counts that many threads may add to.

    What happened can be taken once, so that those who add up what several took count nothing twice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = dict.fromkeys(_NAMES, 0)
        self._new = dict.fromkeys(_NAMES, 0)
        self._has_news = False

    def add(self, name: str, number: int = 1) -> None:
        """Add to a field of `Counts`; raises KeyError for another name."""
        with self._lock:
            self._new[name] += number
            self._has_news = True

    def take(self) -> Counts | None:
        """Return what was counted since the last call; None if nothing was."""
        if not self._has_news:
            return None
        with self._lock:
            new, self._new = self._new, dict.fromkeys(_NAMES, 0)
            self._has_news = False
            for name, number in new.items():
                self._taken[name] += number
        return Counts(**new)

    def snapshot(self) -> Counts:
        """Return all that was counted."""
        with self._lock:
            return Counts(**self._taken) + Counts(**self._new)
