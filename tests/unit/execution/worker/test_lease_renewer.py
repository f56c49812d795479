"""Renewal of leases."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.plans_and_runs import fresh_store
from tests.support.waiting import wait_until
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.worker.lease_renewer import LeaseRenewer
from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.lease import Holder, Lease


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


def test_all_leases_of_an_owner_are_released_at_once() -> None:
    """Those of other owners stay."""
    store, renewer = fresh_store(), LeaseRenewer()
    keys = [f"{number:064x}" for number in range(3)]
    for key, owner in zip(keys, ("one", "one", "two"), strict=True):
        lease = store.lease(key, owner, seconds=60)
        assert lease.acquire() is None
        renewer.hold(lease, 60)
    renewer.release_all(10, "one")
    assert [_holder(store, key) is None for key in keys] == [True, True, False]


def test_leases_are_released_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a process that ends, in some versions of Python."""
    store, renewer = fresh_store(), LeaseRenewer()
    keys = [f"{number:064x}" for number in range(2)]
    for key in keys:
        lease = store.lease(key, "one", seconds=60)
        assert lease.acquire() is None
        renewer.hold(lease, 60)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        renewer.release_all(10)
    assert [_holder(store, key) for key in keys] == [None, None]


_END_WITH_A_LEASE = """
import os
import sys
from voxk8s.execution.worker.lease_renewer import lease_renewer
from voxk8s.storage import open_store

store = open_store(sys.argv[1])
lease = store.lease("a" * 64, "owner", seconds=60)
assert lease.acquire() is None
lease_renewer.hold(lease, 60)
if os.fork() == 0:
    sys.exit()
os.wait()
assert store.lease("a" * 64, "other", seconds=60).acquire() is not None
"""


def test_a_process_that_ends_gives_its_leases_back(tmp_path: Path) -> None:
    """Such as one whose run stopped at a failure, while operations were running; no forked one."""
    subprocess.run([sys.executable, "-c", _END_WITH_A_LEASE, str(tmp_path)], check=True, cwd=ROOT)
    assert _holder(open_store(str(tmp_path)), "a" * 64) is None


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


class _BlockedLease(Lease):
    """A lease in a store that does not answer until `released` is set."""

    def __init__(self, store: ResultStore) -> None:
        super().__init__(store._backend, "b" * 64, "owner", seconds=0.1, clock=time.time)
        self.asked, self.answered = threading.Event(), threading.Event()
        self.calls: list[str] = []

    def renew(self) -> bool:
        """Wait for the answer."""
        self.calls.append("renew")
        self.asked.set()
        assert self.answered.wait(30)
        self.calls.append("renewed")
        return True

    def release(self) -> None:
        """Count."""
        self.calls.append("release")


def test_a_store_that_does_not_answer_lets_no_other_lease_expire() -> None:
    """Leases are renewed side by side, each by one request at a time."""
    store, renewer = fresh_store(), LeaseRenewer()
    blocked, other = _BlockedLease(store), store.lease("a" * 64, "owner", seconds=0.3)
    renewer.hold(blocked, 0.1)
    assert blocked.asked.wait(30)
    assert other.acquire() is None
    begin = _holder(store, "a" * 64)
    assert begin is not None
    renewer.hold(other, 0.3)
    wait_until(
        lambda: (now := _holder(store, "a" * 64)) is not None and now.until > begin.until + 0.6,
        seconds=10,
    )
    assert blocked.calls == ["renew"]
    blocked.answered.set()
    renewer.release(blocked)
    renewer.release(other)


def test_a_release_does_not_wait_for_a_renewal() -> None:
    """It follows the renewal that the store has not answered yet, so that none comes after it."""
    renewer = LeaseRenewer()
    blocked = _BlockedLease(fresh_store())
    renewer.hold(blocked, 0.1)
    assert blocked.asked.wait(30)
    renewer.release(blocked)
    assert blocked.calls == ["renew"]
    blocked.answered.set()
    wait_until(lambda: blocked.calls == ["renew", "renewed", "release"])
