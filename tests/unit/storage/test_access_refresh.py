"""Records that are in use become young again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.store_options import Location, StoreOptions
from voxk8s.storage.thread_pool import ThreadPool

DAY = 86_400.0
DATA = memoryview(b"{}")


def record(backend: Backend) -> ObjectInfo:
    """Write a record and return its metadata."""
    backend.write("ac/v1/r", (DATA,), "application/json")
    found = backend.head("ac/v1/r")
    assert found is not None
    return found


def refresh_and_wait(refresh: AccessRefresh, pool: ThreadPool, found: ObjectInfo) -> None:
    """Refresh a record, and wait for the only thread of the pool."""
    refresh.refresh_if_old(found, DATA)
    pool.submit(lambda: None)()


@pytest.mark.parametrize("days", [0.9, 1.1])
def test_records_are_refreshed_from_half_of_the_grace_period(days: float) -> None:
    """Younger records are not written."""
    backend, pool = memory_backend(), ThreadPool(1)
    found = record(backend)
    refresh = AccessRefresh(backend, pool, lambda: found.modified + days * DAY)
    refresh_and_wait(refresh, pool, found)
    now = backend.head(found.path)
    assert now is not None
    assert (now.modified > found.modified) is (days > 1)
    assert bytes(backend.get(found.path) or b"") == DATA


def test_a_record_that_has_changed_is_left_alone() -> None:
    """What another writer has written meanwhile is not lost."""
    backend, pool = memory_backend(), ThreadPool(1)
    found = record(backend)
    backend.write(found.path, (b"[]",), "application/json")
    refresh_and_wait(AccessRefresh(backend, pool, lambda: found.modified, after=0.0), pool, found)
    assert bytes(backend.get(found.path) or b"") == b"[]"


class FailingBackend(Backend):
    """A back end in memory whose objects cannot be touched."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(Location("memory", "failing"), StoreOptions())
        self.error = error
        self.calls = 0

    def touch(self, found: ObjectInfo, data: bytes | memoryview, media_type: str) -> None:
        """Raise the error."""
        self.calls += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "calls"), [(StoreUnreachable("away"), 3), (StoreAccessDenied("read only"), 1)]
)
def test_errors_are_ignored(error: StoreError, calls: int) -> None:
    """A store that does not allow refreshes is not asked again."""
    backend, pool = FailingBackend(error), ThreadPool(1)
    refresh = AccessRefresh(backend, pool, lambda: 0.0, after=0.0)
    for _ in range(3):
        refresh_and_wait(refresh, pool, record_of(backend))
    assert backend.calls == calls


def record_of(backend: FailingBackend) -> ObjectInfo:
    """Return an old record of a store."""
    return ObjectInfo(f"{backend.url}/r", len(DATA), -DAY)


class SlowBackend(FailingBackend):
    """A back end whose objects are touched once `released` is set."""

    def __init__(self) -> None:
        super().__init__(StoreUnreachable("away"))
        self.released = threading.Event()

    def touch(self, found: ObjectInfo, data: bytes | memoryview, media_type: str) -> None:
        """Wait."""
        assert self.released.wait(30)
        self.calls += 1


def test_the_number_of_pending_refreshes_is_bounded() -> None:
    """Further records wait for their next use, and no caller waits for a refresh."""
    backend, pool = SlowBackend(), ThreadPool(1)
    refresh = AccessRefresh(backend, pool, lambda: 0.0, after=0.0)
    for _ in range(300):
        refresh.refresh_if_old(record_of(backend), DATA)
    backend.released.set()
    refresh_and_wait(refresh, pool, record_of(backend))
    assert 256 <= backend.calls <= 257


def test_a_folder_is_refreshed(tmp_path: Path) -> None:
    """Although it has no conditional updates."""
    backend = Backend(Location("file", str(tmp_path)), StoreOptions())
    pool = ThreadPool(1)
    found = record(backend)
    old = ObjectInfo(found.path, found.size, found.modified - 1, found.tag)
    refresh = AccessRefresh(backend, pool, lambda: found.modified, after=0.5)
    refresh_and_wait(refresh, pool, old)
    now = backend.head(found.path)
    assert now is not None
    assert now.modified > found.modified
