"""Token buckets by group."""

from __future__ import annotations

from voxk8s.controller.act.rate_limits import RateLimits


def test_burst_and_rate() -> None:
    """So much at once, then so much a second, and never more saved than the burst."""
    limits = RateLimits(burst=2, rate=0.5)
    assert [limits.take("a", 0.0) for _ in range(3)] == [True, True, False]
    assert limits.take("b", 0.0), "groups do not share"
    assert [limits.take("a", 2.0) for _ in range(2)] == [True, False]
    assert [limits.take("a", 1000.0) for _ in range(3)] == [True, True, False]


def test_groups_with_full_buckets_are_forgotten() -> None:
    """Namespaces come and go."""
    limits = RateLimits(burst=1, rate=1.0)
    for number in range(5000):
        assert limits.take(f"n-{number}", float(number))
    assert len(limits._buckets) <= 1000
    assert not limits.take("n-4999", 4999.0)
