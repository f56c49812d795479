"""When to try an operation again, and how long to wait before: backoff with full jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voxk8s.errors import PermanentError, TransientError
from voxk8s.settings import Settings

_TRANSIENT = (TransientError, MemoryError, ConnectionError, TimeoutError)
"""Beside our own, errors of what lies around a kernel: trying again may succeed."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a transient failure is tried again; times in seconds.

    `limit` counts the tries after the first one. The wait before try n is a random part of
    `backoff * 2**n`, never more than `max_backoff` (full jitter: many operations that failed
    together do not come back together).
    """

    limit: int = 3
    backoff: float = 1.0
    max_backoff: float = 60.0

    @classmethod
    def from_settings(cls, settings: Settings) -> RetryPolicy:
        """Take the policy that the environment of this process asks for."""
        return cls(settings.retry_limit, settings.retry_backoff, settings.retry_max_backoff)

    def delay(self, failures: int, uniform: Callable[[], float]) -> float:
        """Return the wait after the `failures`-th failure (1, 2, …); `uniform` draws from [0, 1).

        The exponent is bounded, so that a large number of failures cannot overflow.
        """
        ceiling = min(self.max_backoff, self.backoff * 2.0 ** min(failures - 1, 60))
        return ceiling * uniform()

    def allows(self, failures: int, error: BaseException) -> bool:
        """Say whether an operation that failed `failures` times may be tried once more."""
        return failures <= self.limit and is_transient(error)


def is_transient(error: BaseException) -> bool:
    """Say whether trying again may help; an exception of unknown kind is the kernel's own."""
    if isinstance(error, PermanentError):
        return False
    return isinstance(error, _TRANSIENT)
