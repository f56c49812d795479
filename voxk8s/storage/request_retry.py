"""When a request to a remote store is sent again, and how long it is tried.

Backoff is exponential with full jitter, so requests that failed together are not repeated
together. How long a request is tried depends on what the store does meanwhile:

- it says that it is overloaded: five minutes, since the work can be done, only slower;
- it answers other requests: two minutes;
- it answers nothing: seconds, so that an outage is known soon. Callers decide how long they wait.

Rejected: obstore's own retries for these requests. They know neither the other requests nor the
difference between an outage and an overload, and give up after a fixed number. A `Retry-After`
header cannot be honoured, as obstore does not show it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from voxk8s.storage.concurrency_limit import ConcurrencyLimit

T = TypeVar("T")


class Trouble(Enum):
    """What an error of a request says about the store."""

    ANSWERED = auto()
    """The store has answered the request: it is not sent again."""
    OVERLOADED = auto()
    """The store asks to send less."""
    FAILED = auto()
    """The request was lost, or the store could not do it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried, and the pauses between; times in seconds."""

    overloaded: float = 300.0
    failing: float = 120.0
    silent: float = 8.0
    first_pause: float = 0.1
    longest_pause: float = 10.0

    def pause(self, failures: int, uniform: Callable[[], float], *, longest: float) -> float:
        """Return the pause after the n-th failure (1, 2, …); `uniform` draws from [0, 1)."""
        ceiling = self.first_pause * 2.0 ** min(failures - 1, 60)
        return min(self.longest_pause, longest, ceiling) * uniform()


class RequestRetry:
    """Sends the requests of one store client: few enough at once, and again when they fail."""

    def __init__(
        self,
        judge: Callable[[BaseException], Trouble],
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        """`judge` says what an error of a request means; it may be called by many threads."""
        self._judge = judge
        self._patience = patience or Patience()
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._limit = ConcurrencyLimit()
        self._last_answer = float("-inf")
        self._silent_since: float | None = None

    def send(self, request: Callable[[int], T]) -> T:
        """Return what a request returns; it is given how often it has failed before.

        Raises its error when it is an answer, or the patience is over.
        """
        failures = 0
        since = 0.0
        while True:
            started = self._limit.acquire()
            trouble = Trouble.ANSWERED
            sent = self._clock()
            try:
                return request(failures)
            except Exception as error:
                trouble = self._judge(error)
                if trouble is Trouble.ANSWERED:
                    raise
                now = self._clock()
                if not failures:
                    # A long upload does not use up the patience before its first failure.
                    since = max(sent, now - self._patience.silent)
                left = self._deadline(trouble, since, now) - now
                if left <= 0:
                    raise
            finally:
                if trouble is not Trouble.FAILED:
                    self._last_answer, self._silent_since = self._clock(), None
                self._limit.release(started, failed=trouble is not Trouble.ANSWERED)
            failures += 1
            self._sleep(self._patience.pause(failures, self._uniform, longest=left))

    def _deadline(self, trouble: Trouble, since: float, now: float) -> float:
        """Return until when a request is tried that first failed at `since`."""
        patience = self._patience
        if trouble is Trouble.OVERLOADED:
            return since + patience.overloaded
        if now - self._last_answer < patience.silent:
            return since + patience.failing
        # Of thousands of requests during an outage, only the first ones wait.
        silent_since = self._silent_since
        if silent_since is None:
            silent_since = self._silent_since = since
        return silent_since + patience.silent
