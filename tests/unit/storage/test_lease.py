"""Leases of result keys."""

from __future__ import annotations

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.errors import InvalidUsage
from voxk8s.storage.backend import Backend
from voxk8s.storage.lease import Lease

KEY = "a" * 64


def lease(backend: Backend, owner: str, now: list[float]) -> Lease:
    """Return a lease of ten seconds."""
    return Lease(backend, KEY, owner, seconds=10, clock=lambda: now[0], label=f"run {owner}")


def test_one_owner_holds_a_lease_until_it_expires() -> None:
    """Others see its holder; after its expiry another owner acquires it."""
    backend, now = memory_backend(), [0.0]
    first, second = lease(backend, "1", now), lease(backend, "2", now)
    assert first.acquire() is None
    holder = second.acquire()
    assert holder is not None
    assert (holder.owner, holder.label, holder.until) == ("1", "run 1", 10.0)
    now[0] = 10.0
    assert second.acquire() is None
    assert not first.renew()


def test_a_renewed_lease_expires_later() -> None:
    """A renewal extends the lease from now."""
    backend, now = memory_backend(), [0.0]
    first, second = lease(backend, "1", now), lease(backend, "2", now)
    first.acquire()
    now[0] = 8.0
    assert first.renew()
    now[0] = 12.0
    assert second.acquire() is not None


def test_a_released_lease_is_free() -> None:
    """Another owner acquires it at once; a second release does not take it away."""
    backend, now = memory_backend(), [0.0]
    first, second = lease(backend, "1", now), lease(backend, "2", now)
    first.acquire()
    first.release()
    assert second.acquire() is None
    first.release()
    assert lease(backend, "3", now).acquire() is not None


def test_a_stolen_lease_is_not_released() -> None:
    """Although it has not expired, and its former owner has not noticed."""
    backend, now = memory_backend(), [0.0]
    first, second = lease(backend, "1", now), lease(backend, "2", now)
    first.acquire()
    assert second.acquire(second.acquire()) is None
    first.release()
    holder = lease(backend, "3", now).acquire()
    assert holder is not None
    assert holder.owner == "2"


def test_an_expired_lease_that_nobody_took_is_released() -> None:
    """Nothing is left of it."""
    backend, now = memory_backend(), [0.0]
    first = lease(backend, "1", now)
    first.acquire()
    now[0] = 20.0
    first.release()
    assert list(backend.list("lease")) == []


def test_a_lease_needs_an_owner_and_a_time() -> None:
    """Neither an empty owner nor zero seconds are allowed."""
    for owner, seconds in (("", 10.0), ("1", 0.0)):
        with pytest.raises(InvalidUsage, match="expected an owner and positive seconds"):
            Lease(memory_backend(), KEY, owner, seconds=seconds, clock=lambda: 0.0)
