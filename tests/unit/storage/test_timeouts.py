"""Time-outs of requests."""

from __future__ import annotations

from voxk8s.storage.timeouts import UNLIMITED, Timeouts


def test_only_small_requests_are_bounded_in_all() -> None:
    """The silence that ends a read is shorter than any large object takes on a slow line."""
    times = Timeouts()
    assert times.connect < times.small < times.idle < times.sent < UNLIMITED
