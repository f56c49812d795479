"""Backoff with full jitter, and what is worth another try."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voxk8s.errors import WorkerLost
from voxk8s.execution.retry import RetryPolicy
from voxk8s.settings import Settings


def test_waits_double_up_to_the_limit() -> None:
    """With the largest draw the waits are 1, 2, 4, … and stop growing at the limit."""
    policy = RetryPolicy(limit=9, backoff=1.0, max_backoff=10.0)
    assert [policy.delay(n, lambda: 1.0) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_is_full(failures: int, draw: float) -> None:
    """Any wait between nothing and the ceiling can come; none is beyond it, however late."""
    policy = RetryPolicy(backoff=0.5, max_backoff=60.0)
    assert policy.delay(failures, lambda: draw) == draw * policy.delay(failures, lambda: 1.0)
    assert 0 <= policy.delay(failures, lambda: draw) <= 60.0


def test_the_limit_counts_tries_after_the_first() -> None:
    """A limit of 3 allows four attempts; a limit of 0 allows one."""
    error = WorkerLost("gone")
    assert [RetryPolicy(limit=3).allows(n, error) for n in (1, 2, 3, 4)] == [True] * 3 + [False]
    assert not RetryPolicy(limit=0).allows(1, error)


def test_settings_give_the_policy() -> None:
    """The environment's numbers arrive in the policy."""
    settings = Settings(retry_limit=7, retry_backoff=0.5, retry_max_backoff=9.0)
    assert RetryPolicy.from_settings(settings) == RetryPolicy(7, 0.5, 9.0)
