"""Objects that are in use become young again."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.waiting import wait_until
from tests.unit.storage.memory import memory_backend
from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.storage import access_refresh
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend, ObjectInfo, UnsupportedUpdate
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions

HOUR = 3_600.0
DATA = memoryview(b"{}")


def record(backend: Backend) -> ObjectInfo:
    """Write a record and return its metadata."""
    backend.write("ac/v1/r", (DATA,), "application/json")
    return found_in(backend)


def found_in(backend: Backend) -> ObjectInfo:
    """Return the metadata of the record."""
    found = backend.head("ac/v1/r")
    assert found is not None
    return found


@pytest.mark.parametrize("hours", [11.5, 12.5])
def test_objects_are_refreshed_from_a_quarter_of_the_grace_period(hours: float) -> None:
    """Younger ones are not written: daily use costs one write a day."""
    backend = memory_backend()
    found = record(backend)
    refresh = AccessRefresh(backend, lambda: found.modified + hours * HOUR)
    refresh.refresh_if_old(found, DATA)
    assert refresh.flush(30)
    assert (found_in(backend).modified > found.modified) is (hours > 12)
    assert bytes(backend.get(found.path) or b"") == DATA


@pytest.mark.parametrize("kept", [True, False])
def test_an_object_that_has_changed_is_left_alone(
    kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another writer has written meanwhile is not lost, whether bytes are kept or not."""
    if not kept:
        monkeypatch.setattr(access_refresh, "_MAX_BYTES_KEPT", 0)
    backend = memory_backend()
    found = record(backend)
    backend.write(found.path, (b"[]",), "application/json")
    refresh = AccessRefresh(backend, lambda: found.modified, after=0.0)
    refresh.refresh_if_old(found, DATA)
    assert refresh.flush(30)
    assert bytes(backend.get(found.path) or b"") == b"[]"


def test_bytes_that_were_not_kept_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; an object beyond the bound is refreshed all the same."""
    monkeypatch.setattr(access_refresh, "_MAX_BYTES_KEPT", 0)
    backend = memory_backend()
    found = record(backend)
    refresh = AccessRefresh(backend, lambda: found.modified, after=0.0)
    refresh.refresh_if_old(found, DATA)
    assert refresh.flush(30)
    assert found_in(backend).modified > found.modified
    assert bytes(backend.get(found.path) or b"") == DATA


class ScriptedBackend(Backend):
    """A back end that counts touches, each of which may wait and fail."""

    def __init__(self, error: StoreError | None = None) -> None:
        super().__init__(Location("memory", "scripted"), StoreOptions())
        self.error = error
        self.touched: list[str] = []
        self.released = threading.Event()
        self.released.set()

    def touch(self, found: ObjectInfo, data: bytes | memoryview, media_type: str) -> None:
        """Wait until it is released, count, and raise the error if there is one."""
        assert self.released.wait(30)
        self.touched.append(found.path)
        if self.error is not None:
            raise self.error


def old(number: int = 0) -> ObjectInfo:
    """Return the metadata of an old object."""
    return ObjectInfo(f"ac/v1/{number}", len(DATA), -24 * HOUR)


def test_every_use_counts_and_no_caller_waits() -> None:
    """Thousands of uses at once are all recorded, each object once, by a few threads."""
    backend = ScriptedBackend()
    backend.released.clear()
    refresh = AccessRefresh(backend, lambda: 0.0)
    before = threading.active_count()
    for number in [*range(3000), *range(3000)]:
        refresh.refresh_if_old(old(number), DATA)
    assert threading.active_count() - before <= 8
    backend.released.set()
    assert refresh.flush(30)
    assert sorted(backend.touched) == sorted(old(number).path for number in range(3000))


def test_threads_without_work_end() -> None:
    """A store that is open but not used costs no thread."""
    refresh = AccessRefresh(ScriptedBackend(), lambda: 0.0)
    refresh.refresh_if_old(old(), DATA)
    assert refresh.flush(30)
    wait_until(lambda: not refresh._threads, seconds=30)
    refresh.refresh_if_old(old(1), DATA)
    assert refresh.flush(30)


def test_the_wait_is_bounded_and_says_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """A slow store delays the end of a run by the timeout at most."""
    backend = ScriptedBackend()
    backend.released.clear()
    refresh = AccessRefresh(backend, lambda: 0.0)
    for number in range(1500):
        refresh.refresh_if_old(old(number), DATA)
    with caplog.at_level(logging.WARNING):
        assert not refresh.flush(0.01)
    assert "not recorded yet for 1,500 of them" in caplog.text
    backend.released.set()
    assert refresh.flush(30)
    assert len(backend.touched) == 1500


def test_a_store_that_does_not_answer_is_asked_again_at_the_next_use(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each flush reports the failures since the last one."""
    backend = ScriptedBackend(StoreUnreachable("away"))
    refresh = AccessRefresh(backend, lambda: 0.0)
    for _ in range(2):
        refresh.refresh_if_old(old(), DATA)
        with caplog.at_level(logging.WARNING):
            assert not refresh.flush(30)
    assert len(backend.touched) == 2
    assert caplog.text.count("away") == 2
    assert refresh.flush(30)


@pytest.mark.parametrize("error", [StoreAccessDenied("read only"), UnsupportedUpdate("no ETags")])
def test_a_store_that_allows_no_refresh_is_asked_once(
    error: StoreError, caplog: pytest.LogCaptureFixture
) -> None:
    """It is also reported once."""
    backend = ScriptedBackend(error)
    refresh = AccessRefresh(backend, lambda: 0.0)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            refresh.refresh_if_old(old(), DATA)
            assert not refresh.flush(30)
    assert len(backend.touched) == 1
    assert caplog.text.count(str(error)) == 1


def test_a_folder_is_refreshed(tmp_path: Path) -> None:
    """By setting the time of the file, whose bytes are not needed."""
    backend = FolderBackend(Location("file", str(tmp_path)), StoreOptions())
    found = record(backend)
    before = ObjectInfo(found.path, found.size, found.modified - 1, found.tag)
    refresh = AccessRefresh(backend, lambda: found.modified, after=0.5)
    refresh.refresh_if_old(before, DATA)
    assert refresh.flush(30)
    assert found_in(backend).modified > found.modified


def test_the_end_of_a_process_waits(tmp_path: Path) -> None:
    """What a process used last is recorded, although it has not waited for it."""
    program = f"""
import time
from tests.unit.storage.test_access_refresh import DATA, Path, record
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions

class Slow(Backend):
    def touch(self, *arguments):
        time.sleep(0.3)  # longer than the process takes to end
        Path({str(tmp_path / "touched")!r}).touch()

backend = Slow(Location("file", {str(tmp_path / "store")!r}), StoreOptions())
AccessRefresh(backend, time.time, after=-1.0).refresh_if_old(record(backend), DATA)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=ROOT)
    assert (tmp_path / "touched").exists()
