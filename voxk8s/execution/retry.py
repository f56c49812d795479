"""When to try an operation again, and how long to wait before: backoff with full jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voxk8s.errors import StoreUnreachable
from voxk8s.failure import is_transient
from voxk8s.settings import Settings

_LONGEST_STORE_PAUSE = 10.0
"""Nobody works while the store is away, and many wait for it to be back."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a transient failure is tried again; times in seconds.

    `limit` counts the tries after the first one. The wait before try n is a random part of
    `backoff * 2**n`, never more than `max_backoff` (full jitter: many operations that failed
    together do not come back together). A store that does not answer is asked again for
    `store_patience` seconds, whatever the limit: what was computed meanwhile is worth more.
    """

    limit: int = 3
    backoff: float = 1.0
    max_backoff: float = 60.0
    store_patience: float = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> RetryPolicy:
        """Take the policy that the environment of this process asks for."""
        return cls(settings.retry_limit, settings.retry_backoff, settings.retry_max_backoff)

    def delay(
        self, failures: int, uniform: Callable[[], float], error: BaseException | None = None
    ) -> float:
        """Return the wait after the `failures`-th failure (1, 2, …); `uniform` draws from [0, 1).

        The exponent is bounded, so that a large number of failures cannot overflow.
        """
        ceiling = min(self.max_backoff, self.backoff * 2.0 ** min(failures - 1, 60))
        if isinstance(error, StoreUnreachable):
            ceiling = min(ceiling, _LONGEST_STORE_PAUSE)
        return ceiling * uniform()

    def allows(self, failures: int, error: BaseException, silence: float = 0.0) -> bool:
        """Say whether an operation that failed `failures` times may be tried once more.

        `silence` is how many seconds ago the store failed to answer for the first time.
        """
        if isinstance(error, StoreUnreachable) and silence < self.store_patience:
            return True
        return failures <= self.limit and is_transient(error)


@dataclass(slots=True)
class Attempts:
    """The tries of one operation: how many there were, and since when the store is silent."""

    policy: RetryPolicy
    count: int = 0
    silent_since: float | None = None

    def may_retry(self, error: BaseException, now: float) -> bool:
        """Note that a try has failed at `now`, in seconds; say whether another may follow."""
        if not isinstance(error, StoreUnreachable):
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since = now
        silence = 0.0 if self.silent_since is None else now - self.silent_since
        return self.policy.allows(self.count, error, silence)
