"""Renewal of leases."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import fresh_store
from tests.support.waiting import wait_until
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.worker.lease_renewer import LeaseRenewer
from voxk8s.storage import ResultStore
from voxk8s.storage.lease import Holder


def _holder(store: ResultStore, key: str) -> Holder | None:
    other = store.lease(key, "other", seconds=1)
    holder = other.acquire()
    other.release()
    return holder


def test_held_leases_are_renewed_until_they_are_released() -> None:
    """Leases outlive their seconds while they are held, and are free after their release."""
    store, renewer = fresh_store(), LeaseRenewer()
    keys = [f"{number:064x}" for number in range(3)]
    made = [store.lease(key, f"o{key}", seconds=0.3) for key in keys]
    for lease in made:
        assert lease.acquire() is None
        renewer.hold(lease, 0.3)
    begin = [_holder(store, key) for key in keys]
    wait_until(
        lambda: all(
            (now := _holder(store, key)) is not None and now.until > old.until + 0.3
            for key, old in zip(keys, begin, strict=True)
            if old is not None
        ),
        seconds=5,
    )
    for lease in made:
        renewer.release(lease)
    assert [_holder(store, key) for key in keys] == [None] * 3


def test_releasing_an_unknown_lease_does_nothing() -> None:
    """A lease that the renewer does not hold stays with its holder."""
    store = fresh_store()
    lease = store.lease("a" * 64, "owner", seconds=60)
    assert lease.acquire() is None
    LeaseRenewer().release(lease)
    assert _holder(store, "a" * 64) is not None


def test_a_store_is_asked_again_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store is unreachable it has no leases; the answer that it gives is remembered."""
    store, renewer = fresh_store(), LeaseRenewer()
    probes: list[object] = []
    probe = ResultStore.probe

    def probing(asked: ResultStore) -> object:
        probes.append(asked)
        if len(probes) == 1:
            raise StoreUnreachable("away")
        return probe(asked)

    monkeypatch.setattr(ResultStore, "probe", probing)
    assert [renewer.supports(store) for _ in range(3)] == [False, True, True]
    assert len(probes) == 2
