"""When an operation is retried, and after which delay: exponential backoff with full jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voxk8s.errors import StoreUnreachable
from voxk8s.failure import is_transient
from voxk8s.settings import Settings

_LONGEST_STORE_PAUSE = 10.0
"""No task can go on while the store does not answer, so it is asked again soon."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a transient failure is retried, and after which delays; times in seconds.

    `limit` counts the attempts after the first one. The delay after the n-th failure is a random
    part of `backoff * 2**(n - 1)`, never more than `max_backoff` (full jitter: operations that
    failed together are not retried together). A store that does not answer is asked again for
    `store_patience` seconds, whatever the limit, since computed values would be lost otherwise.
    """

    limit: int = 3
    backoff: float = 1.0
    max_backoff: float = 60.0
    store_patience: float = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> RetryPolicy:
        """Return the policy of the settings."""
        return cls(settings.retry_limit, settings.retry_backoff, settings.retry_max_backoff)

    def delay(
        self, failures: int, uniform: Callable[[], float], error: BaseException | None = None
    ) -> float:
        """Return the delay after the `failures`-th failure (1, 2, …); `uniform` draws from [0, 1).

        The exponent is bounded, so that a large number of failures cannot overflow.
        """
        ceiling = min(self.max_backoff, self.backoff * 2.0 ** min(failures - 1, 60))
        if isinstance(error, StoreUnreachable):
            ceiling = min(ceiling, _LONGEST_STORE_PAUSE)
        return ceiling * uniform()

    def allows(self, failures: int, error: BaseException, silence: float = 0.0) -> bool:
        """Whether an operation that failed `failures` times may be retried.

        `silence` is the time in seconds since the store first failed to answer.
        """
        if isinstance(error, StoreUnreachable) and silence < self.store_patience:
            return True
        return failures <= self.limit and is_transient(error)


@dataclass(slots=True)
class Attempts:
    """The attempts of one operation, and the time since which the store has not answered."""

    policy: RetryPolicy
    count: int = 0
    silent_since: float | None = None

    def may_retry(self, error: BaseException, now: float) -> bool:
        """Record an attempt that failed at `now`, in seconds; return whether another may follow."""
        if not isinstance(error, StoreUnreachable):
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since = now
        silence = 0.0 if self.silent_since is None else now - self.silent_since
        return self.policy.allows(self.count, error, silence)
