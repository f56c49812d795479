"""The keeping rule: which results are stored beside goals.

What it costs to get a value back counts: its own seconds, and those of the operations below it that
are not stored. Storing takes time too, so a run spends only a share of its time on it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

PUT_SECONDS: Final = 0.02
"""Time to write and later read a small result on an S3 server."""
BYTES_PER_SECOND: Final = 50e6
"""Rate at which values are encoded, compressed, sent and later read, measured on one core."""
WORTH: Final = 2.0
"""A result is stored if it costs this many times as much to compute, as it may not be needed."""
PUT_SHARE: Final = 0.1
"""The part of its computing time that a run may spend on storing what is worth it."""
FREE_PUT_SECONDS: Final = 2.0
"""It may spend this long in any case."""
LONG_SECONDS: Final = 0.05
"""Operations that took at least this long are counted once, however often they are used."""
NEGLIGIBLE_SECONDS: Final = 1e-4
"""Operations that took less cost nothing themselves."""
_MAX_LONG: Final = 16
_MAX_VALUES: Final = 65_536
_MAX_RUNS: Final = 64

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Recompute:
    """What it takes to get a value back that is not stored.

    `long` are the seconds of the longest operations, each counted once; `rest` is the longest chain
    of all others, since adding up what several arguments share would count it again and again.
    """

    long: Mapping[str, float] = field(default_factory=dict)
    rest: float = 0.0

    @property
    def seconds(self) -> float:
        """The sum."""
        return sum(self.long.values()) + self.rest

    def followed_by(self, key: str, seconds: float, others: Iterable[Recompute] = ()) -> Recompute:
        """Return what a result takes that was computed from this value and others."""
        long, rest = dict(self.long), self.rest
        for other in others:
            long |= other.long
            rest = max(rest, other.rest)
        if seconds < LONG_SECONDS:
            return Recompute(long, rest + seconds)
        long[key] = seconds
        if len(long) > _MAX_LONG:
            del long[min(long, key=long.__getitem__)]
        return Recompute(long, rest)


STORED: Final = Recompute()
"""A value that is stored, or known to cost nothing."""


def put_seconds(size: int) -> float:
    """Return the seconds that it takes to store `size` bytes of memory and to read them later."""
    return PUT_SECONDS + size / BYTES_PER_SECOND


def is_worth_storing(policy: str, seconds: float, size: int) -> bool:
    """Whether a result of `size` bytes, for which `seconds` were computed, is stored beside goals.

    A sweep of 26,000 operations that take milliseconds on masks of 9 MB stores nothing; a
    registration of half a minute is stored at once, and a chain of half seconds now and then.
    """
    match policy:
        case "all":
            return True
        case "goals":
            return False
        case _:
            return seconds > WORTH * put_seconds(size)


class Budget:
    """What one run may store in this process beside goals; safe in threads.

    The run's limit of bytes is exact where all tasks run in one process. Of other processes it
    knows what each task brings along: what the driver had heard of when it sent the task. So N
    workers may together store N times what was left at that time: N times the limit in a plan whose
    tasks are all sent at once, which has at most `submit.WINDOW` of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._computed = 0.0
        self._spent = 0.0
        self._bytes = 0
        self._reserved = 0
        """What other threads are about to store."""
        self._known = 0
        self._since = 0
        """What this process has stored since the driver knew `_known` bytes."""

    def computed(self, seconds: float) -> None:
        """Record that an operation has ended."""
        if seconds >= NEGLIGIBLE_SECONDS:
            with self._lock:
                self._computed += seconds

    def reserve(self, size: int, most_bytes: float, known_bytes: int = 0) -> bool:
        """Whether a result of `size` bytes may be stored; at most `most_bytes` in all processes.

        If so they count as stored until `release`. `known_bytes` is what the driver knows that the
        run has stored, in this process as well.
        """
        with self._lock:
            if known_bytes > self._known:
                self._known, self._since = known_bytes, 0
            taken = max(self._bytes, self._known + self._since) + self._reserved
            seconds = FREE_PUT_SECONDS + PUT_SHARE * self._computed
            if taken + size > most_bytes or self._spent + put_seconds(size) > seconds:
                return False
            self._reserved += size
            return True

    def release(self, size: int) -> None:
        """Return what was reserved for a result: it is recorded as stored, or was not stored."""
        with self._lock:
            self._reserved -= size

    def stored(self, seconds: float, size: int) -> None:
        """Record how long it took to store `size` bytes."""
        with self._lock:
            self._spent += seconds
            self._bytes += size
            self._since += size


class _Recent(Generic[K, V]):
    """A bounded mapping, safe in threads; what was added first is forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        return self._items.get(key)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._items[key] = value
            if len(self._items) > self._most:
                self._items.popitem(last=False)

    def setdefault(self, key: K, value: V) -> V:
        with self._lock:
            found = self._items.setdefault(key, value)
            if len(self._items) > self._most:
                self._items.popitem(last=False)
            return found

    def clear(self) -> None:
        self._items.clear()


_values: Final[_Recent[str, Recompute]] = _Recent(_MAX_VALUES)
"""What the values of this process take; values of other processes are taken to be stored."""
_budgets: Final[_Recent[str, Budget]] = _Recent(_MAX_RUNS)


def budget_of(run: str) -> Budget:
    """Return the budget of a run in this process."""
    return _budgets.get(run) or _budgets.setdefault(run, Budget())


def record_computed(key: str, seconds: float, arguments: Iterable[str]) -> None:
    """Record that this process has computed a value."""
    below: list[Recompute] = []
    for argument in arguments:
        found = _values.get(argument)
        if found is not None and found is not STORED:
            below.append(found)
    if seconds >= NEGLIGIBLE_SECONDS or len(below) > 1:
        _values.put(key, STORED.followed_by(key, seconds, below))
    elif below:
        _values.put(key, below[0])


def record_stored(key: str) -> None:
    """Record that a value need not be computed again."""
    _values.put(key, STORED)


def recompute_seconds(key: str) -> float:
    """Return the seconds that it takes to get a value back."""
    return (_values.get(key) or STORED).seconds
