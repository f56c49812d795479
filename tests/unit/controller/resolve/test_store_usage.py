"""The bytes that trust domains may have in the default store."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from voxk8s.controller.resolve.store_usage import StoreUsage
from voxk8s.errors import StoreFull, StoreUnreachable
from voxk8s.storage import ResultStore, StoreOptions, open_store
from voxk8s.values import SavedFile


@pytest.fixture
def now() -> list[float]:
    """Return a clock that stands still."""
    return [0.0]


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """Return the store of the domain lab, in which a value has 1,000 bytes and more."""
    found = open_store(str(tmp_path), domain="lab")
    found.put("a" * 64, SavedFile(b"x" * 1000, ".txt", "text/plain"))
    return found


def counted(usage: StoreUsage, store: ResultStore) -> None:
    """Wait until the bytes are known, and no more looked at."""
    usage.check(store, 10**9)
    wait_for(
        "the store is listed", lambda: all(each.thread is None for each in usage._found.values())
    )


def test_a_domain_with_too_much_is_refused(now: list[float], store: ResultStore) -> None:
    """With both numbers and what to do; the first look is waited for."""
    usage = StoreUsage(clock=lambda: now[0])
    usage.check(store, 10**6)
    with pytest.raises(StoreFull, match=r"domain lab has 0\.0 GB in the store, of 0\.0 GB") as full:
        usage.check(store, 1000)
    assert "store gc" in str(full.value)


def test_other_domains_do_not_count(now: list[float], store: ResultStore, tmp_path: Path) -> None:
    """Each has a limit of its own."""
    usage = StoreUsage(clock=lambda: now[0])
    usage.check(open_store(str(tmp_path), domain="ward"), 1000)
    with pytest.raises(StoreFull):
        usage.check(store, 1000)


def test_a_store_is_listed_every_five_minutes(
    now: list[float], store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In between the last number counts."""
    usage = StoreUsage(clock=lambda: now[0])
    counted(usage, store)
    monkeypatch.setattr(ResultStore, "size", lambda _: 5000)
    now[0] = 299.0
    counted(usage, store)
    usage.check(store, 5000)
    now[0] = 300.0
    counted(usage, store)
    with pytest.raises(StoreFull):
        usage.check(store, 5000)


def test_a_slow_listing_is_repeated_less_often(
    now: list[float], store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 20 s is good for 1,000 s."""
    listed: list[float] = []

    def size(_: ResultStore) -> int:
        listed.append(now[0])
        now[0] += 20.0
        return 1

    monkeypatch.setattr(ResultStore, "size", size)
    usage = StoreUsage(clock=lambda: now[0])
    for seconds in (0.0, 1019.0, 1020.0):
        now[0] = max(now[0], seconds)
        counted(usage, store)
    assert listed == [0.0, 1020.0]


def test_a_store_that_cannot_be_listed_refuses_nothing(
    now: list[float],
    store: ResultStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The operator's log says why."""

    def size(_: ResultStore) -> int:
        raise StoreUnreachable("no answer")

    monkeypatch.setattr(ResultStore, "size", size)
    usage = StoreUsage(clock=lambda: now[0])
    with caplog.at_level(logging.WARNING):
        counted(usage, store)
        usage.check(store, 1)
    assert "no answer" in caplog.text


def test_new_credentials_find_the_old_count(now: list[float], tmp_path: Path) -> None:
    """Sessions change every half an hour: each would begin with a time in which all is allowed."""
    usage = StoreUsage(clock=lambda: now[0])
    for key in ("one", "two"):
        options = StoreOptions(key=key, secret="s")
        counted(usage, open_store(str(tmp_path), domain="lab", options=options))
    assert len(usage._found) == 1


def test_a_listing_is_waited_for_once(
    now: list[float], store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large store is listed for the first time, plans are not delayed one by one."""
    listed = threading.Event()
    waits: list[float | None] = []
    monkeypatch.setattr(ResultStore, "size", lambda _: int(listed.wait(10)))
    monkeypatch.setattr(threading.Thread, "join", lambda _, timeout=None: waits.append(timeout))
    usage = StoreUsage(clock=lambda: now[0])
    for now[0] in (0.0, 0.5, 60.0):
        usage.check(store, 1)
    listed.set()
    assert waits == [2.0, 1.5, 0.0]


def test_a_listing_that_broke_is_repeated(
    now: list[float], store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error is: else a domain would be full for ever."""

    def size(_: ResultStore) -> int:
        raise AssertionError("a listing that cannot be read")

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(ResultStore, "size", size)
    usage = StoreUsage(clock=lambda: now[0])
    counted(usage, store)
    monkeypatch.undo()
    now[0] = 300.0
    counted(usage, store)
    with pytest.raises(StoreFull):
        usage.check(store, 1000)
